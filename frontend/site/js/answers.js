/**
 * Answers being written: one per chat at most, each filling one message.
 *
 *     waiting -> streaming -> finished | stopped | interrupted
 *     waiting -> stopped | failed
 *
 * Knows: the events of gateway.streamChat, the tree. Knows nothing of: HTTP, the document.
 */
import { Problem } from "./problem.js";
import { add, path } from "./tree.js";

/** While an answer grows it is written down this often, so that a crash loses little. */
const SAVE_SECONDS = 1;

/**
 * Return the moves. `frame` runs a callback before the next paint: text reaches the message
 * at most once per frame however many events arrive. `listen` hears {started, grown, ended}.
 */
export function answers({ chats, streamChat, newId, now, frame, setTimeout, clearTimeout, modelId, listen }) {
  const lines = new Map();

  /** Write the answer under message `parentId`; resolves when it has ended, however it ended. */
  async function start(chat, parentId) {
    if (lines.has(chat.id)) return;
    const line = new AbortController();
    lines.set(chat.id, line);
    const sent = requestOf(chat, parentId, modelId());
    const message = add(chat, blankAnswer({ newId, now, model: modelId() }), parentId);
    chats.running[chat.id] = chat;
    chats.save(chat);
    listen.started(message);

    let pending = "";
    let isAsked = false;
    let saving = null;
    const flush = () => {
      isAsked = false;
      if (pending === "") return;
      message.text += pending;
      pending = "";
      listen.grown(message);
      saving ??= setTimeout(() => {
        saving = null;
        chats.save(chat, { isTouched: false });
      }, SAVE_SECONDS * 1000);
    };

    try {
      for await (const event of streamChat(sent, { signal: line.signal })) {
        if (event.kind === "text") {
          if (message.state === "waiting") message.state = "streaming";
          pending += event.text;
          if (!isAsked) {
            isAsked = true;
            frame(flush);
          }
        } else if (event.kind === "progress") {
          message.progress = progressOf(event);
        } else if (event.kind === "finish") {
          message.finish = event.finish;
        } else if (event.kind === "usage") {
          message.usage = event.usage;
          message.timings = event.timings;
        }
      }
      flush();
      message.state = "finished";
    } catch (error) {
      flush();
      if (error.name === "AbortError") message.state = "stopped";
      else if (error instanceof Problem) {
        message.state = message.text === "" ? "failed" : "interrupted";
        message.problem = problemOf(error, now());
      } else {
        message.state = message.text === "" ? "failed" : "interrupted";
        message.problem = { code: "page_fault", message: "The page failed.", requestId: null, at: now(), retryAt: null };
        throw error;
      }
    } finally {
      clearTimeout(saving);
      message.progress = null;
      lines.delete(chat.id);
      delete chats.running[chat.id];
      // A chat deleted meanwhile stays deleted.
      if (chats.list.some((one) => one.id === chat.id)) chats.save(chat);
      listen.ended(message);
    }
  }

  return {
    start,
    /** Close the chat's connection; the gateway gives the slot back at once. */
    stop: (chatId) => lines.get(chatId)?.abort(),
    isRunning: (chatId) => chats.running[chatId] !== undefined,
  };
}

/** Return the body for the path that ends in message `parentId`. */
export function requestOf(chat, parentId, model) {
  const { system, ...sampling } = chat.settings;
  const said = path({ messages: chat.messages, leaf: parentId })
    .filter((message) => message.text !== "")
    .map((message) => ({ role: message.role, content: message.text }));
  const set = Object.entries(sampling).filter(([, value]) => value !== null);
  const messages = system.trim() === "" ? said : [{ role: "system", content: system }, ...said];
  return { ...(model === null ? {} : { model }), messages, ...Object.fromEntries(set) };
}

function blankAnswer({ newId, now, model }) {
  return {
    id: newId(),
    role: "assistant",
    text: "",
    state: "waiting",
    at: now(),
    model,
    progress: null,
    finish: null,
    usage: null,
    timings: null,
    problem: null,
  };
}

function progressOf({ state, place = null, backlog = null, phase = null, estimate = null }) {
  return { state, place, backlog, phase, estimate };
}

function problemOf(error, at) {
  return {
    code: error.code,
    message: error.message,
    requestId: error.requestId,
    at,
    retryAt: error.retryAfterSeconds === null ? null : at + error.retryAfterSeconds * 1000,
  };
}
