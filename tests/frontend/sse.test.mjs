import assert from "node:assert/strict";
import { test } from "node:test";

import { createParser, readEvents } from "../../frontend/site/js/sse.js";

const STREAM =
  "\uFEFF: hello\n" +
  'data: {"text": "Grüße 🦙"}\n\n' +
  "event: progress\r\nid: 7\r\ndata: one\r\ndata: two\r\n\r\n" +
  "data:no space\r\r" +
  "retry: 100\n\n" +
  "data\n\n" +
  "event: lost\n\n" +
  "data: last\n\n" +
  "data: never ended\n";
const EXPECTED = [
  { comment: "hello" },
  { event: "message", data: '{"text": "Grüße 🦙"}', id: "" },
  { event: "progress", data: "one\ntwo", id: "7" },
  { event: "message", data: "no space", id: "7" },
  { event: "message", data: "", id: "7" },
  { event: "message", data: "last", id: "7" },
];

const bytes = new TextEncoder().encode(STREAM);

function streamOf(...pieces) {
  const state = { isCancelled: false };
  const body = new ReadableStream({
    pull(controller) {
      const piece = pieces.shift();
      if (piece === undefined) controller.close();
      else controller.enqueue(piece);
    },
    cancel() {
      state.isCancelled = true;
    },
  });
  return { body, state };
}

async function collect(body) {
  const events = [];
  for await (const event of readEvents(body)) events.push(event);
  return events;
}

test("a stream cut in two at any byte gives the same events", async () => {
  for (let cut = 0; cut <= bytes.length; cut += 1) {
    const { body } = streamOf(bytes.slice(0, cut), bytes.slice(cut));
    assert.deepEqual(await collect(body), EXPECTED, `cut at byte ${cut}`);
  }
});

test("a stream that comes byte by byte gives the same events", async () => {
  const { body } = streamOf(...Array.from(bytes, (byte) => Uint8Array.of(byte)));
  assert.deepEqual(await collect(body), EXPECTED);
});

test("an event is given as soon as its empty line is there", () => {
  const parser = createParser();
  assert.deepEqual(parser.feed("data: a\n"), []);
  assert.deepEqual(parser.feed("\n"), [{ event: "message", data: "a", id: "" }]);
});

test("leaving early closes the stream", async () => {
  const { body, state } = streamOf(bytes, bytes);
  for await (const event of readEvents(body)) {
    assert.deepEqual(event, { comment: "hello" });
    break;
  }
  assert.equal(state.isCancelled, true);
});
