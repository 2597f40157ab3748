import assert from "node:assert/strict";
import { test } from "node:test";

import { pulse } from "../../frontend/site/js/pulse.js";
import { fakeClock, settle } from "./stage.mjs";

function listening({ answer = () => ({ ok: true, json: async () => ({ phase: "polled" }) }) } = {}) {
  const clock = fakeClock();
  const opened = [];
  class FakeEventSource {
    static OPEN = 1;
    static CLOSED = 2;
    constructor(address) {
      this.address = address;
      this.readyState = 0;
      opened.push(this);
    }
    close() {
      this.readyState = FakeEventSource.CLOSED;
      this.isClosed = true;
    }
  }
  const page = { hidden: false, listener: null, addEventListener: (type, listener) => (page.listener = listener), removeEventListener: () => {} };
  const heard = [];
  const asked = [];
  const news = pulse({
    EventSource: FakeEventSource,
    fetch: async (address) => {
      asked.push(address);
      return answer();
    },
    document: page,
    setTimeout: clock.setTimeout,
    clearTimeout: clock.clearTimeout,
    onStats: (stats) => heard.push(stats.phase),
    onLost: () => heard.push("lost"),
  });
  news.start();
  const hide = (hidden) => {
    page.hidden = hidden;
    page.listener();
  };
  return { clock, opened, heard, asked, hide, news };
}

const push = (source, phase) => {
  source.readyState = 1;
  source.onmessage({ data: JSON.stringify({ phase }) });
};

test("pushed news is taken as it comes", () => {
  const { opened, heard, asked } = listening();
  push(opened[0], "loading");
  push(opened[0], "ready");
  assert.deepEqual([opened[0].address, heard, asked], ["stats/stream", ["loading", "ready"], []]);
});

test("while the push is down the stats are asked for, until it is back", async () => {
  const { clock, opened, heard, asked } = listening();
  opened[0].onerror();
  await settle();
  clock.pass(5);
  await settle();
  assert.deepEqual([heard, asked.length], [["polled", "polled"], 2]);
  push(opened[0], "ready");
  assert.equal(clock.waiting, 0);
});

test("a push the browser gave up is opened again", async () => {
  const { clock, opened } = listening();
  opened[0].readyState = 2;
  opened[0].onerror();
  await settle();
  clock.pass(5);
  assert.equal(opened.length, 2);
});

test("nobody answering is said", async () => {
  const { opened, heard } = listening({ answer: () => ({ ok: false, status: 502 }) });
  opened[0].onerror();
  await settle();
  assert.deepEqual(heard, ["lost"]);
});

test("a hidden tab gives its connection back and takes it again", () => {
  const { clock, opened, hide } = listening();
  hide(true);
  assert.deepEqual([opened[0].isClosed, clock.waiting], [true, 0]);
  hide(false);
  assert.equal(opened.length, 2);
});

test("stopping closes the push and leaves no timer", async () => {
  const { clock, opened, news } = listening();
  opened[0].onerror();
  await settle();
  news.stop();
  assert.deepEqual([opened[0].isClosed, clock.waiting], [true, 0]);
});
