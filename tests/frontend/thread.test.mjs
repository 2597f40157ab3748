import assert from "node:assert/strict";
import { test } from "node:test";

import { bubble } from "../../frontend/site/js/bubble.js";
import { Problem } from "../../frontend/site/js/problem.js";
import { thread } from "../../frontend/site/js/thread.js";
import { scope, settle, stage } from "./stage.mjs";

function opened({ isTouch = false, ...more } = {}) {
  const parts = stage(more);
  const copied = [];
  const page = scope(
    thread({
      ...parts,
      now: parts.clock.now,
      isTouch: () => isTouch,
      watchScroll: () => ({ toEnd: () => {} }),
      focusBox: () => {},
    })(),
  );
  page.init();
  const copy = async (text) => copied.push(text) > 0;
  const makeBubble = bubble({ live: parts.live, words: parts.words, copy, setTimeout: parts.clock.setTimeout });
  const bubbleOf = (message) => scope(page, makeBubble(), { message, $refs: { edited: { focus: () => {} } } });
  const last = () => bubbleOf(page.messages.at(-1));
  return { parts, page, copied, bubbleOf, last, gateway: parts.gateway };
}

async function answered(stageOf, ...texts) {
  for (const text of texts) await stageOf.gateway.push({ kind: "text", text });
  await stageOf.gateway.end();
}

const key = (more) => ({ key: "Enter", prevented: 0, preventDefault() { this.prevented += 1; }, ...more });
const roles = (page) => page.messages.map((message) => [message.role, message.text]);

test("a question is sent, its draft gone, its answer shown", async () => {
  const it = opened();
  it.page.draft = "  Why?  ";
  it.page.send();
  assert.equal(it.page.draft, "");
  assert.equal(it.page.isAnswering, true);
  await answered(it, "Because.");
  assert.deepEqual(roles(it.page), [["user", "Why?"], ["assistant", "Because."]]);
  assert.equal(it.page.isAnswering, false);
});

test("nothing is sent without words or while an answer is written", async () => {
  const it = opened();
  it.page.draft = " \n ";
  it.page.send();
  assert.equal(it.gateway.streams.length, 0);
  it.page.draft = "One?";
  it.page.send();
  it.page.draft = "Two?";
  it.page.send();
  await settle();
  assert.equal(it.gateway.streams.length, 1);
  assert.equal(it.page.draft, "Two?");
});

test("Enter sends; with Shift, or inside an input method, it does not", () => {
  for (const [more, expected] of [[{}, 1], [{ shiftKey: true }, 0], [{ isComposing: true }, 0], [{ keyCode: 229 }, 0]]) {
    const it = opened();
    it.page.draft = "Why?";
    const event = key(more);
    it.page.pressKey(event);
    assert.equal(it.gateway.streams.length, expected);
    assert.equal(event.prevented, expected);
  }
});

test("on a touch keyboard Enter starts a new line", () => {
  const it = opened({ isTouch: true });
  it.page.draft = "Why?";
  it.page.pressKey(key());
  assert.equal(it.gateway.streams.length, 0);
});

test("Escape stops the answer, but not from within a dialog", async () => {
  const it = opened();
  it.page.draft = "Why?";
  it.page.send();
  await it.gateway.push({ kind: "text", text: "Half" });
  it.page.pressEscape({ target: { closest: () => ({}) } });
  assert.equal(it.page.isAnswering, true);
  it.page.pressEscape({ target: { closest: () => null } });
  await settle();
  assert.equal(it.last().note, "Stopped.");
});

test("an answer asked again stands beside the first", async () => {
  const it = opened();
  it.page.draft = "Why?";
  it.page.send();
  await answered(it, "One.");
  it.last().again();
  await answered(it, "Two.");

  assert.deepEqual(roles(it.page).at(-1), ["assistant", "Two."]);
  assert.deepEqual([it.last().versionLabel, it.last().isLast, it.last().isFirst], ["2 of 2", true, false]);
  it.last().showPrevious();
  assert.deepEqual(roles(it.page).at(-1), ["assistant", "One."]);
});

test("an answer without a word is replaced, not kept as a version", async () => {
  const it = opened();
  it.page.draft = "Why?";
  it.page.send();
  await it.gateway.fail(new Problem({ code: "engine_failed", message: "It broke." }));
  assert.deepEqual([it.last().isBroken, it.last().problemText], [true, "It broke."]);
  it.last().retry();
  await answered(it, "Now.");
  assert.deepEqual(roles(it.page), [["user", "Why?"], ["assistant", "Now."]]);
  assert.equal(it.last().hasAlternatives, false);
});

test("a retry waits as long as the gateway said", async () => {
  const it = opened();
  it.page.draft = "Why?";
  it.page.send();
  await it.gateway.fail(new Problem({ code: "backlog_full", message: "Full.", retryAfterSeconds: 3 }));
  assert.deepEqual([it.last().retryLabel, it.last().cannotRetry], ["Try again in 3 s", true]);
  it.last().retry();
  assert.equal(it.gateway.streams.length, 1);
  it.parts.clock.pass(3);
  it.parts.live.tick();
  assert.deepEqual([it.last().retryLabel, it.last().cannotRetry], ["Try again", false]);
});

test("a question the engine was not ready for is sent when it is", async () => {
  const it = opened();
  it.page.draft = "Why?";
  it.page.send();
  await it.gateway.fail(new Problem({ code: "engine_down", message: "Loading.", retryAfterSeconds: 30 }));
  it.page.sendHeld();
  await answered(it, "Here.");
  assert.deepEqual(roles(it.page), [["user", "Why?"], ["assistant", "Here."]]);
});

test("other failures are not repeated by themselves", async () => {
  const it = opened();
  it.page.draft = "Why?";
  it.page.send();
  await it.gateway.fail(new Problem({ code: "prompt_too_long", message: "Too long." }));
  it.page.sendHeld();
  assert.equal(it.gateway.streams.length, 1);
});

test("a changed question is asked beside the old one", async () => {
  const it = opened();
  it.page.draft = "Why?";
  it.page.send();
  await answered(it, "One.");
  const question = it.bubbleOf(it.page.messages[0]);
  question.edit();
  question.edited = "How?";
  question.pressEditKey(key());
  await answered(it, "Two.");
  assert.deepEqual(roles(it.page), [["user", "How?"], ["assistant", "Two."]]);
  it.bubbleOf(it.page.messages[0]).showPrevious();
  assert.deepEqual(roles(it.page), [["user", "Why?"], ["assistant", "One."]]);
});

test("who waits reads the place, the estimate when there is one, and the time", async () => {
  const it = opened();
  it.page.draft = "Why?";
  it.page.send();
  assert.equal(it.last().waitTitle, "Sending…");
  await it.gateway.push({ kind: "progress", state: "waiting", place: 2, backlog: 5, phase: "ready", estimate: { low: 12.4, likely: 15, high: 20 } });
  it.parts.clock.pass(4);
  it.parts.live.tick();
  assert.equal(it.last().waitTitle, "Place 2 of 5 in the queue");
  assert.equal(it.last().waitDetail, "12 s to 20 s to go · waiting 4 s");
  await it.gateway.push({ kind: "progress", state: "waiting", place: 1, backlog: 1, phase: "loading" });
  assert.equal(it.last().waitTitle, it.parts.words.notReady.loading);
  await it.gateway.push({ kind: "progress", state: "waiting", place: 1, backlog: 1, phase: "loading", ready_seconds: 48 });
  assert.equal(it.last().waitDetail, "ready in about 48 s · waiting 4 s");
  await it.gateway.push({ kind: "progress", state: "running" });
  assert.equal(it.last().waitTitle, it.parts.words.granted);
});

test("the line under an answer has the gateway's figures", async () => {
  const it = opened();
  it.parts.live.applyModel({ id: "llama", context_window: 2048 });
  it.page.draft = "Why?";
  it.page.send();
  await it.gateway.push({ kind: "text", text: "x" });
  const usage = { prompt_tokens: 20, completion_tokens: 143, total_tokens: 163 };
  const timings = { wait_seconds: 1.5, first_token_seconds: 0.214, tokens_per_second: 95.24 };
  await it.gateway.push({ kind: "usage", usage, timings });
  await it.gateway.end();
  const expected = "143 tokens · 95.2 tokens/s · first token 0.21 s · waited 1.5 s · context 163 of 2,048";
  assert.equal(it.last().facts, expected);
});

test("an answer cut at its limit says so", async () => {
  const it = opened();
  it.page.draft = "Why?";
  it.page.send();
  await it.gateway.push({ kind: "text", text: "x" });
  await it.gateway.push({ kind: "finish", finish: "length" });
  await it.gateway.end();
  assert.equal(it.last().note, it.parts.words.cutShort);
});

test("copying says so for a moment", async () => {
  const it = opened();
  it.page.draft = "Why?";
  it.page.send();
  await answered(it, "**Because.**");
  const one = it.last();
  await one.copyText();
  assert.deepEqual([it.copied, one.copyLabel], [["**Because.**"], "Copied"]);
  it.parts.clock.pass(3);
  assert.equal(one.copyLabel, "Copy");
});

test("the starters fit the model", () => {
  const it = opened();
  it.parts.live.applyModel({ id: "paddock-demo", demo: true });
  assert.equal(it.page.starters, it.parts.words.demoStarters);
  assert.equal(it.page.welcomeNote.includes("not Llama"), true);
  it.parts.live.applyModel({ id: "llama", demo: false });
  assert.equal(it.page.starters, it.parts.words.starters);
  assert.equal(it.page.welcomeNote.includes("llama"), true);
});

const file = (name, text) => ({ name, size: text.length, arrayBuffer: async () => new TextEncoder().encode(text).buffer });

/** A count that ends when it is told to. */
function slowCount() {
  let end;
  const counted = new Promise((resolve) => (end = resolve));
  return { countText: () => counted, end };
}

test("a question sent while its files are counted goes once they are", async () => {
  const { countText, end } = slowCount();
  const it = opened({ countText });
  it.page.draft = "Why?";
  it.parts.attached.take([file("a.txt", "one"), file("b.txt", "two")]);
  await settle();
  it.page.send();
  it.page.send();
  await settle();
  assert.deepEqual([it.page.isHeld, it.page.isOpenToSend, it.page.cannotSend, it.gateway.streams.length], [true, false, true, 0]);
  end(3);
  await settle();
  await settle();
  assert.deepEqual([it.page.isHeld, it.gateway.streams.length], [false, 1]);
  assert.deepEqual(it.page.messages[0].files.map(({ name, tokens }) => [name, tokens]), [["a.txt", 3], ["b.txt", 3]]);
});

test("Escape takes a question back that waits for its files", async () => {
  const { countText, end } = slowCount();
  const it = opened({ countText });
  it.page.draft = "Why?";
  it.parts.attached.take([file("a.txt", "one")]);
  await settle();
  it.page.send();
  it.page.pressEscape({ target: { closest: () => null } });
  assert.deepEqual([it.page.isHeld, it.page.canSend], [false, true]);
  end(3);
  await settle();
  assert.deepEqual([it.gateway.streams.length, it.page.draft, it.parts.attached.files.length], [0, "Why?", 1]);
  it.page.send();
  await settle();
  assert.equal(it.gateway.streams.length, 1);
});

test("a question whose file turns out too large is not sent, and stays", async () => {
  const { countText, end } = slowCount();
  const it = opened({ countText, countChat: async () => 5000 });
  it.parts.live.applyModel({ id: "llama", context_window: 2048 });
  it.page.draft = "Why?";
  it.parts.attached.take([file("a.txt", "one")]);
  await settle();
  it.page.send();
  end(4000);
  await settle();
  await settle();
  assert.deepEqual([it.gateway.streams.length, it.page.draft, it.page.canSend], [0, "Why?", true]);
  assert.equal(it.parts.attached.refusal, "a.txt has 4,000 tokens, the chat already 1,000; the context holds 2,048.");
});

test("the arrow up in an empty box changes the last question", async () => {
  const it = opened();
  const up = (more) => it.page.pressKey(key({ key: "ArrowUp", ...more }));
  up();
  assert.equal(it.page.editedId, null);
  for (const text of ["One?", "Two?"]) {
    it.page.draft = text;
    it.page.send();
    await answered(it, "Yes.");
  }
  up({ shiftKey: true });
  it.page.draft = "Typed";
  up();
  assert.equal(it.page.editedId, null);
  it.page.draft = "";
  up();
  const edited = it.bubbleOf(it.page.messages[2]);
  assert.deepEqual([edited.isEditing, edited.edited, edited.hasFoot], [true, "Two?", false]);
  edited.edited = "Three?";
  edited.sendEdit();
  await answered(it, "No.");
  assert.deepEqual(roles(it.page).slice(2), [["user", "Three?"], ["assistant", "No."]]);
  assert.equal(edited.isEditing, false);
});

test("no question is changed while an answer is written, or while files lie in the box", async () => {
  const it = opened();
  it.page.draft = "One?";
  it.page.send();
  it.page.pressKey(key({ key: "ArrowUp" }));
  assert.equal(it.page.editedId, null);
  await answered(it, "Yes.");
  await it.parts.attached.take([file("a.txt", "one")]);
  it.page.pressKey(key({ key: "ArrowUp" }));
  assert.equal(it.page.editedId, null);
});
