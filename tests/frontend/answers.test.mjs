import assert from "node:assert/strict";
import { test } from "node:test";

import { requestOf } from "../../frontend/site/js/answers.js";
import { Problem } from "../../frontend/site/js/problem.js";
import { add, path } from "../../frontend/site/js/tree.js";
import { settle, stage } from "./stage.mjs";

async function asked() {
  const parts = stage();
  const chat = parts.chats.current;
  const question = add(chat, { id: "q", role: "user", text: "Why?", state: "finished" });
  const ended = parts.answers.start(chat, question.id);
  await settle();
  return { ...parts, paint: parts.paint, parts, chat, ended, answer: () => path(chat).at(-1) };
}

test("an answer waits, grows by frames and finishes with its figures", async () => {
  const { gateway, parts, ended, answer, heard } = await asked();
  assert.equal(answer().state, "waiting");

  await gateway.push({ kind: "progress", state: "waiting", place: 3, backlog: 4, phase: "ready" });
  assert.deepEqual([answer().progress.place, answer().progress.backlog], [3, 4]);

  await gateway.push({ kind: "text", text: "Be" });
  await gateway.push({ kind: "text", text: "cause" });
  assert.deepEqual([answer().state, answer().text, parts.frameCount], ["streaming", "", 1]);
  parts.paint();
  assert.equal(answer().text, "Because");

  await gateway.push({ kind: "text", text: "." });
  await gateway.push({ kind: "finish", finish: "stop" });
  await gateway.push({ kind: "usage", usage: { total_tokens: 9 }, timings: { tokens_per_second: 3 } });
  await gateway.end();
  await ended;

  const { text, state, finish, usage, timings, progress } = answer();
  assert.deepEqual([text, state, finish, progress], ["Because.", "finished", "stop", null]);
  assert.deepEqual([usage.total_tokens, timings.tokens_per_second], [9, 3]);
  assert.deepEqual(heard, ["started", "Because", "Because.", "finished"]);
});

test("stopping keeps what came and closes the stream", async () => {
  const { gateway, answers, chat, ended, answer } = await asked();
  await gateway.push({ kind: "text", text: "Half" });
  answers.stop(chat.id);
  await ended;

  assert.deepEqual([answer().text, answer().state, answer().problem], ["Half", "stopped", null]);
  assert.equal(gateway.streams[0].isLeft, true);
  assert.equal(answers.isRunning(chat.id), false);
});

test("a break after text is interrupted, before any text failed", async () => {
  for (const [texts, expected] of [[["Half"], "interrupted"], [[], "failed"]]) {
    const { gateway, ended, answer, clock } = await asked();
    for (const text of texts) await gateway.push({ kind: "text", text });
    await gateway.fail(new Problem({ code: "engine_failed", message: "It broke.", retryAfterSeconds: 4, requestId: "r" }));
    await ended;

    assert.equal(answer().state, expected);
    const told = { code: "engine_failed", message: "It broke.", requestId: "r", at: clock.now(), retryAt: clock.now() + 4000 };
    assert.deepEqual(answer().problem, told);
  }
});

test("a growing answer is written down every second and at its end", async () => {
  const { gateway, parts, store, chat, ended, clock } = await asked();
  const kept = () => store.read(chat.id).messages.at(-1).text;
  await gateway.push({ kind: "text", text: "one" });
  parts.paint();
  assert.equal(kept(), "");
  clock.pass(1.1);
  assert.equal(kept(), "one");
  await gateway.push({ kind: "text", text: " two" });
  await gateway.end();
  await ended;
  assert.equal(kept(), "one two");
  assert.equal(clock.waiting, 0);
});

test("a chat has one answer at a time", async () => {
  const { gateway, answers, chat } = await asked();
  await answers.start(chat, "q");
  assert.equal(gateway.streams.length, 1);
});

test("a chat deleted while it is answered stays deleted", async () => {
  const { gateway, answers, chats, store, chat, ended } = await asked();
  await gateway.push({ kind: "text", text: "Half" });
  answers.stop(chat.id);
  chats.remove(chat.id);
  await ended;
  assert.deepEqual([store.list(), chats.list], [[], []]);
});

test("the request is the system prompt, the path and what was set", () => {
  const { chats } = stage();
  const chat = chats.current;
  add(chat, { id: "q1", role: "user", text: "One?" });
  add(chat, { id: "a1", role: "assistant", text: "One." });
  add(chat, { id: "q2", role: "user", text: "Two?" });
  add(chat, { id: "a2", role: "assistant", text: "" });
  add(chat, { id: "q3", role: "user", text: "Three?" });
  chat.settings = { system: "Be brief.", temperature: 0, top_p: null, max_tokens: 5 };

  assert.deepEqual(requestOf(chat, "q3", "llama"), {
    model: "llama",
    messages: [
      { role: "system", content: "Be brief." },
      { role: "user", content: "One?" },
      { role: "assistant", content: "One." },
      { role: "user", content: "Two?" },
      { role: "user", content: "Three?" },
    ],
    temperature: 0,
    max_tokens: 5,
  });
});

test("a request without a known model or settings names neither", () => {
  const { chats } = stage();
  add(chats.current, { id: "q1", role: "user", text: "One?" });
  assert.deepEqual(requestOf(chats.current, "q1", null), { messages: [{ role: "user", content: "One?" }] });
});
