/**
 * Answers being written: one per chat at most, each filling one message.
 *
 *     waiting -> streaming -> finished | stopped | interrupted
 *     waiting -> stopped | failed
 *     interrupted | stopped | finished at the limit -> streaming (continued)
 *
 * A message keeps the name of its stream and how far it was read, so that whoever finds it running and
 * unattended (after a reload, a crash, a closed tab) takes it up where it was.
 *
 * Knows: the events of gateway.streamChat, the tree. Knows nothing of: HTTP, the document.
 */
import { isRunning } from "./chat.js";
import { blankAnswer, problemOf, progressOf, requestOf } from "./request.js";
import { Problem } from "./problem.js";
import { add } from "./tree.js";

/**
 * While an answer grows it is written down this often, so that a crash loses little. A longer chat costs more
 * to write, so each so many messages add as much again; what a crash takes of it the stream still has.
 */
const SAVE_SECONDS = 1;
const SAVE_MESSAGES = 100;

/**
 * Return the moves. `frame` runs a callback before the next paint: text reaches the message
 * at most once per frame however many events arrive. `listen` hears {started, grown, ended}.
 */
export function answers({ chats, streamChat, followStream, stopStream, newId, now, frame, setTimeout, clearTimeout, modelId, listen }) {
  const lines = new Map();

  /** Write the answer under message `parentId`; resolves when it has ended, however it ended. */
  async function start(chat, parentId) {
    if (lines.has(chat.id)) return;
    const sent = requestOf(chat, parentId, modelId());
    const message = add(chat, blankAnswer({ newId, now, model: modelId() }), parentId);
    await write(chat, message, (signal) => streamChat(sent, { signal }));
  }

  /** Let the model go on behind the last word of an answer that is not complete. */
  async function proceed(chat, message) {
    if (lines.has(chat.id)) return;
    const sent = requestOf(chat, message.id, modelId());
    Object.assign(message, { state: "waiting", stream: null, cursor: 0, problem: null, finish: null, isFreed: false });
    await write(chat, message, (signal) => streamChat(sent, { signal }));
  }

  /** Take up an answer that nobody writes any more; without a stream to go back to it is interrupted. */
  async function resume(chat, message) {
    if (lines.has(chat.id)) return;
    if (!message.stream) {
      message.state = "interrupted";
      chats.save(chat, { isTouched: false });
      return;
    }
    Object.assign(message, { state: message.text === "" ? "waiting" : "streaming", problem: null });
    const from = { id: message.stream, cursor: message.cursor ?? 0 };
    await write(chat, message, (signal) => followStream(from, { signal }));
  }

  /** Resume every answer of a chat that says it is running; there is one at most, unless something broke. */
  function adopt(chat) {
    if (lines.has(chat.id)) return;
    const [last, ...others] = chat.messages.filter(isRunning).reverse();
    for (const message of others) message.state = "interrupted";
    if (last !== undefined) resume(chat, last);
  }

  async function write(chat, message, open) {
    const line = { hangUp: new AbortController(), message };
    lines.set(chat.id, line);
    chats.running[chat.id] = chat;
    chats.save(chat);
    listen.started(message);

    let pending = "";
    let cursor = message.cursor ?? 0;
    let isAsked = false;
    let saving = null;
    const save = () => {
      saving ??= setTimeout(() => {
        saving = null;
        chats.save(chat, { isTouched: false });
      }, SAVE_SECONDS * 1000 * (1 + Math.floor(chat.messages.length / SAVE_MESSAGES)));
    };
    const flush = () => {
      isAsked = false;
      if (pending === "") return;
      // Order: text and cursor together, so that what is written down is always one point of the stream.
      message.text += pending;
      message.cursor = cursor;
      pending = "";
      listen.grown(message);
      save();
    };

    let isStopped = false;
    try {
      for await (const event of open(line.hangUp.signal)) {
        cursor = event.cursor ?? cursor;
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
        } else if (event.kind === "stream") {
          message.isLost = false;
          if (message.stream !== event.id) {
            message.stream = event.id;
            chats.save(chat, { isTouched: false });
          }
        } else if (event.kind === "stopped") {
          isStopped = true;
        } else {
          message.isLost = event.kind === "lost";
        }
      }
      flush();
      message.state = isStopped ? "stopped" : "finished";
      if (isStopped) message.isFreed = true;
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
      message.isLost = false;
      lines.delete(chat.id);
      delete chats.running[chat.id];
      // A chat deleted meanwhile stays deleted.
      if (chats.isListed(chat.id)) chats.save(chat);
      listen.ended(message);
    }
  }

  /** Stop the chat's answer: the page leaves at once, and learns from the gateway that the slot is free. */
  async function stop(chat) {
    const line = lines.get(chat.id);
    const message = line?.message ?? chat.messages.findLast(isRunning);
    line?.hangUp.abort();
    if (message?.stream && (await stopStream(message.stream))) {
      message.isFreed = true;
      if (chats.isListed(chat.id)) chats.save(chat, { isTouched: false });
    }
  }

  return {
    start,
    proceed,
    resume,
    adopt,
    stop,
    /** Whether an answer is being written here, or in another tab as far as one can tell. */
    isRunning: (chatId) => chats.running[chatId] !== undefined || chats.elsewhere[chatId] !== undefined,
  };
}
