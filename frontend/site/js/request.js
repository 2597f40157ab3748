/**
 * A chat as the gateway is asked about it, and an answer before its first word.
 *
 * Knows: OpenAI's body, how files go into a message. Knows nothing of: HTTP, storage, the page.
 */
import { path } from "./tree.js";

/** Return the body for the path that ends in message `lastId`; an assistant's message there is continued. */
export function requestOf(chat, lastId, model) {
  const { system, ...sampling } = chat.settings;
  const said = path({ messages: chat.messages, leaf: lastId })
    .map((message) => ({ role: message.role, content: contentOf(message) }))
    .filter((message) => message.content !== "");
  const set = Object.entries(sampling).filter(([, value]) => value !== null);
  const messages = system.trim() === "" ? said : [{ role: "system", content: system }, ...said];
  return { ...(model === null ? {} : { model }), messages, ...Object.fromEntries(set) };
}

/** Return what the model reads of a message: its text, then each attached file in a fence. */
export function contentOf({ text, files = [] }) {
  return [text, ...files.map(fenced)].filter((part) => part !== "").join("\n\n");
}

/** A fence longer than any in the file, so that the file cannot end it. */
function fenced({ name, text }) {
  const longest = Math.max(2, ...(text.match(/`{3,}/g) ?? []).map((run) => run.length));
  const fence = "`".repeat(longest + 1);
  return `File ${name.replace(/\s+/g, " ")}:\n${fence}\n${text.replace(/\n$/, "")}\n${fence}`;
}

/** Return an answer that nobody has begun yet. */
export function blankAnswer({ newId, now, model }) {
  return {
    id: newId(),
    role: "assistant",
    text: "",
    state: "waiting",
    at: now(),
    model,
    stream: null,
    cursor: 0,
    isLost: false,
    isFreed: false,
    progress: null,
    finish: null,
    usage: null,
    timings: null,
    problem: null,
  };
}

/** Return what is kept of the gateway's news of a wait. */
export function progressOf({ state, place = null, backlog = null, phase = null, estimate = null, ready_seconds: readyIn = null }) {
  return { state, place, backlog, phase, estimate, readyIn };
}

/** Return what is kept of a problem: plain data, with the time when a retry makes sense. */
export function problemOf(error, at) {
  return {
    code: error.code,
    message: error.message,
    requestId: error.requestId,
    at,
    retryAt: error.retryAfterSeconds === null ? null : at + error.retryAfterSeconds * 1000,
  };
}
