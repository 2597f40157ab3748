import assert from "node:assert/strict";
import { test } from "node:test";

import { counts } from "../../frontend/site/js/count.js";
import { gateway } from "../../frontend/site/js/gateway.js";
import { fakeClock, settle } from "./stage.mjs";

const TEXT = 'data: {"choices":[{"delta":{"content":"Hi"},"finish_reason":null}],"usage":null}\n\n';
const FINISH = 'data: {"choices":[{"delta":{},"finish_reason":"stop"}]}\n\n';
const USAGE = 'data: {"choices":[],"usage":{"total_tokens":3},"timings":{"tokens_per_second":9}}\n\n';
const DONE = "data: [DONE]\n\n";

function answering(body, { status = 200, headers = {} } = {}) {
  const asked = [];
  const clock = fakeClock();
  const calls = gateway({
    fetch: async (address, options) => {
      asked.push({ address, ...options });
      return body instanceof Error ? Promise.reject(body) : new Response(body, { status, headers });
    },
    setTimeout: clock.setTimeout,
    clearTimeout: clock.clearTimeout,
  });
  return { ...calls, asked, clock };
}

async function collect({ streamChat }, signal = new AbortController().signal) {
  const events = [];
  let problem = null;
  try {
    for await (const event of streamChat({ messages: [] }, { signal })) events.push(event);
  } catch (error) {
    problem = error;
  }
  return { events, problem };
}

test("an answer is its texts, its finish and its figures", async () => {
  const { events, problem } = await collect(answering(": place 1 of 1\n\n" + TEXT + FINISH + USAGE + DONE));

  assert.equal(problem, null);
  assert.deepEqual(events, [
    { kind: "text", text: "Hi" },
    { kind: "finish", finish: "stop" },
    { kind: "usage", usage: { total_tokens: 3 }, timings: { tokens_per_second: 9 } },
  ]);
});

test("the request asks for a stream, usage and progress", async () => {
  const calls = answering(DONE);
  await collect(calls);

  const { address, method, headers, body } = calls.asked[0];
  assert.deepEqual([address, method, headers["Paddock-Progress"]], ["v1/chat/completions", "POST", "1"]);
  assert.deepEqual(JSON.parse(body), { messages: [], stream: true, stream_options: { include_usage: true } });
});

test("news of the wait arrives as progress", async () => {
  const news = 'event: progress\ndata: {"state":"waiting","place":2,"backlog":5,"phase":"ready"}\n\n';
  const { events } = await collect(answering(news + DONE));

  assert.deepEqual(events, [{ kind: "progress", state: "waiting", place: 2, backlog: 5, phase: "ready" }]);
});

test("an event with an unknown name is passed over", async () => {
  const { events, problem } = await collect(answering('event: later\ndata: {"x":1}\n\n' + DONE));
  assert.deepEqual([events, problem], [[], null]);
});

test("a stream that ends without [DONE] is cut off, however far it came", async () => {
  for (const body of ["", TEXT, TEXT + FINISH + USAGE]) {
    const { problem } = await collect(answering(body));
    assert.equal(problem.code, "cut_off");
  }
});

test("an error frame ends the answer with the gateway's words", async () => {
  const frame = 'data: {"error":{"message":"It broke.","code":"engine_failed","request_id":"r1"}}\n\n';
  const { events, problem } = await collect(answering(TEXT + frame));

  assert.deepEqual(events, [{ kind: "text", text: "Hi" }]);
  assert.deepEqual([problem.code, problem.message, problem.requestId], ["engine_failed", "It broke.", "r1"]);
});

test("a frame that is not JSON ends the answer as broken", async () => {
  const { problem } = await collect(answering("data: <html>\n\n" + DONE));
  assert.equal(problem.code, "cut_off");
});

test("a refusal carries its words, its code and when to come back", async () => {
  const envelope = { error: { message: "Full.", code: "backlog_full", retry_after_seconds: 7, request_id: "r2" } };
  const { problem } = await collect(answering(JSON.stringify(envelope), { status: 429 }));

  const { message, code, status, retryAfterSeconds, requestId } = problem;
  const expected = ["Full.", "backlog_full", 429, 7, "r2"];
  assert.deepEqual([message, code, status, retryAfterSeconds, requestId], expected);
});

test("a refusal that is not ours still tells its status and its Retry-After", async () => {
  const { problem } = await collect(answering("<html>", { status: 502, headers: { "Retry-After": "3" } }));
  assert.deepEqual([problem.status, problem.retryAfterSeconds], [502, 3]);
  assert.equal(problem.message, "The gateway answered with status 502.");
});

test("a network failure is a gateway out of reach", async () => {
  const { problem } = await collect(answering(new TypeError("failed")));
  assert.equal(problem.code, "unreachable");
});

test("a stream silent for longer than the limit is given up", async () => {
  const body = new ReadableStream({ start: (controller) => controller.enqueue(new TextEncoder().encode(TEXT)) });
  const clock = fakeClock();
  const calls = gateway({
    silenceSeconds: 60,
    fetch: async (address, { signal }) => {
      const reading = body.pipeThrough(new TransformStream(), { signal });
      return new Response(reading, { status: 200 });
    },
    setTimeout: clock.setTimeout,
    clearTimeout: clock.clearTimeout,
  });
  const collected = collect(calls);
  for (let turn = 0; turn < 20; turn += 1) await settle();
  clock.pass(61);
  const { events, problem } = await collected;

  assert.deepEqual(events, [{ kind: "text", text: "Hi" }]);
  assert.equal(problem.code, "silent");
  assert.equal(clock.waiting, 0);
});

test("stopping raises AbortError and leaves no timer", async () => {
  const stop = new AbortController();
  const clock = fakeClock();
  const calls = gateway({
    fetch: (address, { signal }) =>
      new Promise((resolve, reject) => signal.addEventListener("abort", () => reject(signal.reason))),
    setTimeout: clock.setTimeout,
    clearTimeout: clock.clearTimeout,
  });
  const collected = collect(calls, stop.signal);
  await settle();
  stop.abort();

  assert.equal((await collected).problem.name, "AbortError");
  assert.equal(clock.waiting, 0);
});

test("the served model is the first of the list, or none", async () => {
  assert.deepEqual(await answering('{"data":[{"id":"llama"}]}').fetchModel(), { id: "llama" });
  assert.equal(await answering('{"data":[]}').fetchModel(), null);
  await assert.rejects(answering("{}", { status: 503 }).fetchModel(), { name: "Problem", status: 503 });
});

/** A gateway that answers one connection after the other; each is [status, body, headers]. */
function connections(...answers) {
  const asked = [];
  const clock = fakeClock();
  const calls = gateway({
    fetch: async (address, options) => {
      asked.push(`${options.method ?? "GET"} ${address}`);
      const next = answers.shift();
      if (next instanceof Error) throw next;
      const [status, body, headers = {}] = next;
      return new Response(status === 204 ? null : body, { status, headers });
    },
    setTimeout: (callback) => setImmediate(callback),
    clearTimeout: clearImmediate,
    now: clock.now,
  });
  return { ...calls, asked };
}

const NAMED = { "Paddock-Stream": "s1" };
const numbered = (...frames) => frames.map((frame, index) => `id: ${index + 1}\n${frame}`);

test("a stream whose connection breaks is taken up behind the last frame", async () => {
  const [one, two, three, four] = numbered(TEXT, TEXT, FINISH, DONE);
  const calls = connections([200, one, NAMED], new TypeError("failed"), [503, "away"], [200, one + two + three + four]);
  const { events, problem } = await collect(calls);
  assert.equal(problem, null);
  const kinds = events.map((event) => event.kind);
  assert.deepEqual(kinds, ["stream", "text", "lost", "found", "stream", "text", "finish"]);
  assert.deepEqual(calls.asked, ["POST v1/chat/completions", ...Array(3).fill("GET v1/streams/s1?after=1")]);
});

test("a stream that is gone is a problem, one that was stopped is not", async () => {
  const [one] = numbered(TEXT);
  const gone = JSON.stringify({ error: { message: "There is no such stream.", code: "stream_unknown" } });
  assert.equal((await collect(connections([200, one, NAMED], [404, gone]))).problem.code, "stream_unknown");
  const { events, problem } = await collect(connections([200, one, NAMED], [204]));
  assert.deepEqual([problem, events.at(-1)], [null, { kind: "stopped" }]);
});

test("a stream can be followed from any frame", async () => {
  const calls = connections([200, numbered(TEXT, TEXT, DONE).slice(1).join("")]);
  const events = [];
  const { signal } = new AbortController();
  for await (const event of calls.followStream({ id: "s1", cursor: 1 }, { signal })) events.push(event);
  assert.deepEqual(events.map((event) => [event.kind, event.cursor]), [["stream", undefined], ["text", 2]]);
  assert.deepEqual(calls.asked, ["GET v1/streams/s1?after=1"]);
});

test("stopping before the head has come stops the stream it becomes", async () => {
  const asked = [];
  let answer = () => {};
  const calls = gateway({
    fetch: (address, { method }) => {
      asked.push(`${method} ${address}`);
      return method === "DELETE" ? Promise.resolve(new Response(null, { status: 204 })) : new Promise((resolve) => (answer = resolve));
    },
    setTimeout: fakeClock().setTimeout,
    clearTimeout: () => {},
  });
  const stop = new AbortController();
  const collected = collect(calls, stop.signal);
  await settle();
  stop.abort();
  assert.equal((await collected).problem.name, "AbortError");
  answer(new Response("", { headers: NAMED }));
  await settle();
  assert.deepEqual(asked, ["POST v1/chat/completions", "DELETE v1/streams/s1"]);
});

test("tokens are counted by the engine, its own first one left out of a text", async () => {
  const spans = '[{"id":1,"text":"","start":0,"stop":0},{"id":2,"text":"a","start":0,"stop":1},{"id":3,"text":"b","start":1,"stop":2}]';
  const answering = (text) => counts({ fetch: async () => new Response(text) });
  assert.equal(await answering(spans).countText("ab"), 2);
  const whole = answering(`{"tokenize_response":${spans},"templated_text":"ab"}`);
  assert.equal(await whole.countChat({ model: "llama", messages: [], temperature: 1 }), 3);
  const refused = counts({ fetch: async () => new Response('{"error":{"message":"No.","code":"engine_down"}}', { status: 503 }) });
  await assert.rejects(refused.countChat({ messages: [] }), { code: "engine_down" });
});

test("after a sleep a line that has long been silent is given up, and taken up again at once", async () => {
  const clock = fakeClock();
  const asked = [];
  const calls = gateway({
    fetch: async (address, { signal }) => {
      asked.push(address);
      const body = asked.length === 1 ? "data: {\"choices\":[{\"delta\":{\"content\":\"One\"}}]}\nid: 1\n\n" : "id: 2\ndata: [DONE]\n\n";
      return new Response(
        new ReadableStream({
          start(controller) {
            controller.enqueue(new TextEncoder().encode(body));
            signal.addEventListener("abort", () => controller.error(new Error("aborted")));
          },
        }),
        { headers: NAMED },
      );
    },
    ...clock,
    // Timers stand still while a machine sleeps; wall time does not.
    now: () => clock.now() + (asked.length === 1 ? slept : 0),
  });
  let slept = 0;
  const collected = collect(calls);
  await settle();
  calls.wake();
  await settle();
  assert.equal(asked.length, 1);
  slept = 40_000;
  calls.wake();
  await settle();
  assert.equal(asked.length, 1); // The pause before the first try.
  calls.wake();
  await collected;
  assert.deepEqual(asked, ["v1/chat/completions", "v1/streams/s1?after=1"]);
});
