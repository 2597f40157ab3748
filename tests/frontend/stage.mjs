/**
 * Stand-ins for what main.js passes in: clocks, timers, ids, a gateway that plays a script, storage.
 */
import { answers } from "../../frontend/site/js/answers.js";
import { attach } from "../../frontend/site/js/attach.js";
import { chats } from "../../frontend/site/js/chats.js";
import { memoryDatabase } from "../../frontend/site/js/database.js";
import { history } from "../../frontend/site/js/history.js";
import { live } from "../../frontend/site/js/live.js";
import { memoryStorage } from "../../frontend/site/js/storage.js";
import { english } from "../../frontend/site/js/words.js";

/** A clock that moves when told, with timers on it. */
export function fakeClock(start = 1_000_000) {
  let at = start;
  let timers = [];
  return {
    now: () => at,
    setTimeout(callback, milliseconds) {
      const timer = { callback, due: at + milliseconds };
      timers.push(timer);
      return timer;
    },
    clearTimeout(timer) {
      timers = timers.filter((one) => one !== timer);
    },
    pass(seconds) {
      at += seconds * 1000;
      const due = timers.filter((timer) => timer.due <= at);
      timers = timers.filter((timer) => timer.due > at);
      for (const timer of due) timer.callback();
    },
    get waiting() {
      return timers.length;
    },
  };
}

/** A gateway whose streams the test feeds: `push(event)`, `fail(error)`, `end()` act on the newest. */
export function fakeGateway() {
  const streams = [];
  const stopped = [];
  async function* streamChat(body, { signal }) {
    const stream = { body, queue: [], wake: () => {}, isLeft: false };
    streams.push(stream);
    signal.addEventListener("abort", () => {
      stream.queue.push({ error: Object.assign(new Error("stopped"), { name: "AbortError" }) });
      stream.wake();
    });
    try {
      for (;;) {
        while (stream.queue.length === 0) await new Promise((resolve) => (stream.wake = resolve));
        const next = stream.queue.shift();
        if (next.error) throw next.error;
        if (next.isEnd) return;
        yield next.event;
      }
    } finally {
      stream.isLeft = true;
    }
  }
  const put = (item) => {
    const stream = streams.at(-1);
    stream.queue.push(item);
    stream.wake();
    return settle();
  };
  return {
    streamChat,
    followStream: streamChat,
    stopStream: async (id) => stopped.push(id) > 0,
    stopped,
    streams,
    push: (event) => put({ event }),
    fail: (error) => put({ error }),
    end: () => put({ isEnd: true }),
  };
}

/** Let everything that is ready to run, run. */
export const settle = () => new Promise((resolve) => setImmediate(resolve));

/** The page's parts without a page. Frames are drawn by `paint()`. */
export function stage({ name = "id", storage = memoryStorage(), database = memoryDatabase(), countText = async (text) => text.length, countChat = async ({ messages }) => messages.reduce((sum, one) => sum + one.content.length, 0) } = {}) {
  const clock = fakeClock();
  const gateway = fakeGateway();
  let ids = 0;
  const newId = () => `${name}-${(ids += 1)}`;
  const store = history({ database, storage });
  const told = [];
  const desk = chats({ store, newId, now: clock.now, tell: (message) => told.push(message) });
  let frames = [];
  const heard = [];
  const writing = answers({
    chats: desk,
    streamChat: gateway.streamChat,
    followStream: gateway.followStream,
    stopStream: gateway.stopStream,
    newId,
    now: clock.now,
    frame: (callback) => frames.push(callback),
    setTimeout: clock.setTimeout,
    clearTimeout: clock.clearTimeout,
    modelId: () => "llama",
    listen: {
      started: () => heard.push("started"),
      grown: (message) => heard.push(message.text),
      ended: (message) => heard.push(message.state),
    },
  });
  const facts = live({ now: clock.now });
  const attached = attach({ chats: desk, live: facts, countText, countChat, newId, words: english, setTimeout: clock.setTimeout, clearTimeout: clock.clearTimeout });
  return {
    storage,
    database,
    store,
    clock,
    told,
    attached,
    keys: { key: "" },
    gateway,
    newId,
    chats: desk,
    answers: writing,
    live: facts,
    words: english,
    heard,
    get frameCount() {
      return frames.length;
    },
    paint() {
      const due = frames;
      frames = [];
      for (const frame of due) frame();
    },
  };
}

/** Put components into one scope, inner ones last, as nested elements do. */
export function scope(...parts) {
  const whole = {
    $nextTick: (callback) => callback(),
    $watch: () => {},
    $refs: {},
  };
  for (const part of parts) Object.defineProperties(whole, Object.getOwnPropertyDescriptors(part));
  return whole;
}
