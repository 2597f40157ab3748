/**
 * What the page says, apart from the fixed labels in index.html.
 *
 * One table per language: a second one is a second export of the same shape.
 */
import { bytes, count, plural, rate, seconds, wholeSeconds } from "./figure.js";

const LOOKS = { system: "Colours: as the system", light: "Colours: light", dark: "Colours: dark" };

const PHASES = {
  stopped: "Asleep",
  starting: "Starting",
  loading: "Loading the model",
  ready: "Ready",
  stopping: "Stopping",
  failed: "Engine failed",
};

/** What to do next, by error code; the gateway's message says what happened. */
const ADVICE = {
  unreachable: "Check that Paddock is running, then try again.",
  silent: "The network may have changed. Try again.",
  cut_off: "What arrived is kept. Continue takes it from there.",
  page_fault: "Reload the page. What arrived is kept.",
  backlog_full: "Many chats are waiting. Try again in a moment.",
  quota_spent: "You have several chats running. Wait until one of them ends.",
  draining: "Paddock is restarting. Try again in a moment.",
  engine_down: "Your question is sent as soon as the engine is ready.",
  key_invalid: "Give the key of this Paddock to go on.",
  stream_unknown: "What arrived is kept. Continue takes it from there.",
  wait_expired: "It took too long to get a turn. Try again.",
  prompt_too_long: "Start a new chat, shorten the message, or lower the answer's length in the settings.",
  chat_invalid: "Check this chat's settings.",
  model_unknown: "Another model is running now. Reload the page.",
  engine_rejected: "Check this chat's settings, or shorten the message.",
  engine_cut_off: "What arrived is kept. Continue takes it from there.",
};

export const english = {
  look: (choice) => LOOKS[choice],
  code: "code",
  copyCode: "Copy",
  copied: "Copied",
  copyFailed: "Select and copy by hand",
  image: (text) => (text === "" ? "image" : `image: ${text}`),
  untitled: "New chat",
  unreached: "No connection",
  unreachedLong: "The gateway does not answer. The page keeps trying.",
  connecting: "Connecting",
  phase: (phase) => PHASES[phase] ?? phase,
  advice: (code) => ADVICE[code] ?? "Try again.",
  /** The line under the status: who is served, who waits. */
  load: ({ backlog, engines, running, slots }) =>
    [
      `${plural(engines, "engine")} online`,
      slots > 0 ? `${count(running)} of ${plural(slots, "slot")} busy` : "",
      `${count(backlog)} waiting`,
    ].filter(Boolean).join(" · "),
  notReady: {
    stopped: "The engine is asleep. Your question wakes it.",
    starting: "The engine is starting. You can write meanwhile.",
    loading: "The model is loading. You can write meanwhile.",
    stopping: "The engine is stopping.",
    failed: "The engine failed.",
  },
  sincePhase: (value) => `${wholeSeconds(value)} so far`,
  demoNote: (id) => `${id} is a tiny demo model, not Llama. It knows a few stories, facts and lists, and little else.`,
  modelNote: (id) => `You are talking to ${id}, on this machine.`,
  noModel: "The model is not known yet.",
  demoStarters: [
    "What is the story about the fox and the grapes?",
    "Implement a Python function to compute the Fibonacci numbers.",
    "What is the capital of France?",
    "Count from one to ten.",
  ],
  starters: [
    "Explain how a queue differs from a stack, with an everyday example.",
    "Implement a Python function to compute the Fibonacci numbers.",
    "Draft a short, friendly email that moves a meeting to Thursday.",
    "What is the story about the fox and the grapes?",
  ],
  sending: "Sending…",
  granted: "Your turn. Reading the question…",
  place: (place, backlog) => `Place ${count(place)} of ${count(Math.max(place, backlog))} in the queue`,
  /** From the gateway's bracket in seconds: four of five waits end within it. */
  estimate: ({ low, high }) => {
    const ends = [Math.max(1, Math.round(low)), Math.max(1, Math.round(high))].map(wholeSeconds);
    return ends[0] === ends[1] ? `about ${ends[0]} to go` : `${ends[0]} to ${ends[1]} to go`;
  },
  waited: (value) => `waiting ${wholeSeconds(value)}`,
  stopped: "Stopped.",
  stoppedFree: "Stopped. The slot is free.",
  reconnecting: "Connection lost. Taking the answer up again…",
  continueAnswer: "Continue",
  stoppedEarly: "Stopped before the answer began.",
  stoppedEarlyFree: "Stopped before the answer began. The slot is free.",
  interrupted: "Interrupted: this answer is not complete.",
  cutShort: "Cut at the length limit.",
  answering: "Answering…",
  answered: "The answer is complete.",
  tryAgain: "Try again",
  tryAgainIn: (value) => `Try again in ${wholeSeconds(value)}`,
  request: (id) => `Request ${id}`,
  version: (at, of) => `${count(at)} of ${count(of)}`,
  /** Under an answer: exact figures from the gateway, nothing counted here. */
  facts: ({ usage, timings, contextWindow }) =>
    [
      usage && plural(usage.completion_tokens, "token"),
      timings?.tokens_per_second > 0 && `${rate(timings.tokens_per_second)} tokens/s`,
      timings?.first_token_seconds != null && `first token ${seconds(timings.first_token_seconds)}`,
      timings?.wait_seconds >= 0.1 && `waited ${seconds(timings.wait_seconds)}`,
      usage && contextWindow && `context ${count(usage.total_tokens)} of ${count(contextWindow)}`,
    ].filter(Boolean).join(" · "),
  deleted: (title) => `Deleted “${title}”.`,
  storageFull: "This browser's storage is full: new messages will be lost on reload. Delete some chats.",
  keyNeeded: "This Paddock wants an API key. Whoever runs it can give you one.",
  keyRefused: "That key is not known here, or was withdrawn.",
  readyIn: (value) => `ready in about ${wholeSeconds(value)}`,
  download: ({ done, total, left }) =>
    [`${bytes(done)} of ${bytes(total)} downloaded`, left === null ? "" : `about ${wholeSeconds(left)} to go`]
      .filter(Boolean).join(" · "),
  notText: (name) => `${name} is not a text file.`,
  fileTooLarge: (name) => `${name} is too large.`,
  notCounted: (name, why) => `${name} could not be counted: ${why}`,
  overContext: ({ name, tokens, used, contextWindow }) =>
    `${name} has ${plural(tokens, "token")}${used > 0 ? `, the chat already ${count(used)}` : ""}; the context holds ${count(contextWindow)}.`,
  overContextAll: ({ tokens, used, contextWindow }) =>
    `This question has ${plural(tokens, "token")}${used > 0 ? `, the chat already ${count(used)}` : ""}; the context holds ${count(contextWindow)}.`,
  counting: "counting…",
  tokens: (value) => plural(value, "token"),
  fileNote: (name, tokens) => (tokens === null ? name : `${name} · ${plural(tokens, "token")}`),
  dropFile: (name) => `Remove ${name}`,
  pin: "Pin chat",
  unpin: "Unpin chat",
  imported: (added, known) =>
    `${plural(added, "chat")} imported${known > 0 ? `, ${count(known)} already here` : ""}.`,
  notAnArchive: "That file holds no chats this page can read.",
  exportName: "paddock-chats",
  you: "You",
  assistant: "Assistant",
  systemPrompt: "System prompt",
  incomplete: "This answer is not complete.",
  answeredElsewhere: "Another tab is writing this answer.",
  standard: (value) => (value === null ? "model's own" : String(value)),
  above: (low, high) => `above ${count(low)}, at most ${count(high)}`,
  between: (low, high) => (high === null ? `at least ${count(low)}` : `${count(low)} to ${count(high)}`),
};
