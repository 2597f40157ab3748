import assert from "node:assert/strict";
import { test } from "node:test";

import { requestOf } from "../../frontend/site/js/request.js";
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
  answers.stop(chat);
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
  const kept = async () => (await store.read(chat.id)).messages.at(-1).text;
  await gateway.push({ kind: "text", text: "one" });
  parts.paint();
  assert.equal(await kept(), "");
  clock.pass(1.1);
  assert.equal(await kept(), "one");
  await gateway.push({ kind: "text", text: " two" });
  await gateway.end();
  await ended;
  await settle();
  assert.equal(await kept(), "one two");
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
  answers.stop(chat);
  await chats.remove(chat.id);
  await ended;
  await settle();
  assert.deepEqual([await store.list(), chats.list], [[], []]);
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

test("text, cursor and stream are written down together", async () => {
  const { gateway, parts, store, chat, clock } = await asked();
  await gateway.push({ kind: "stream", id: "s1" });
  await gateway.push({ kind: "text", text: "one", cursor: 4 });
  assert.deepEqual([parts.chats.current.messages.at(-1).text, parts.chats.current.messages.at(-1).cursor], ["", 0]);
  parts.paint();
  clock.pass(1.1);
  await settle();
  const { text, cursor, stream, state } = (await store.read(chat.id)).messages.at(-1);
  assert.deepEqual([text, cursor, stream, state], ["one", 4, "s1", "streaming"]);
});

test("stopping tells the gateway, and says that the slot is free once the gateway says it", async () => {
  const { gateway, answers, chat, ended, answer } = await asked();
  await gateway.push({ kind: "stream", id: "s1" });
  await gateway.push({ kind: "text", text: "Half" });
  await answers.stop(chat);
  await ended;
  assert.deepEqual([gateway.stopped, answer().state, answer().isFreed], [["s1"], "stopped", true]);
});

test("an answer found running is taken up behind what was read of it", async () => {
  const { gateway, parts, answers, chats, newId } = (() => {
    const parts = stage();
    return { parts, ...parts };
  })();
  const chat = chats.current;
  add(chat, { id: "q", role: "user", text: "Why?", state: "finished" });
  add(chat, { id: newId(), role: "assistant", text: "Be", state: "streaming", stream: "s1", cursor: 7 });
  answers.adopt(chat);
  await settle();
  assert.deepEqual(gateway.streams[0].body, { id: "s1", cursor: 7 });
  await gateway.push({ kind: "text", text: "cause.", cursor: 8 });
  await gateway.end();
  await settle();
  const { text, state, cursor } = path(chat).at(-1);
  assert.deepEqual([text, state, cursor, parts.heard.at(-1)], ["Because.", "finished", 8, "finished"]);
});

test("an answer found running without a stream is interrupted", async () => {
  const { gateway, answers, chats } = stage();
  add(chats.current, { id: "a", role: "assistant", text: "Half", state: "streaming" });
  answers.adopt(chats.current);
  await settle();
  assert.deepEqual([chats.current.messages[0].state, gateway.streams.length], ["interrupted", 0]);
});

test("a stream that was stopped elsewhere is stopped here", async () => {
  const { gateway, ended, answer } = await asked();
  await gateway.push({ kind: "text", text: "Half" });
  await gateway.push({ kind: "stopped" });
  await gateway.end();
  await ended;
  assert.deepEqual([answer().state, answer().isFreed], ["stopped", true]);
});

test("an answer goes on behind its last word, in the same message", async () => {
  const { gateway, answers, chat, ended, answer } = await asked();
  await gateway.push({ kind: "text", text: "Half" });
  await gateway.fail(new Problem({ code: "engine_failed", message: "It broke." }));
  await ended;
  const going = answers.proceed(chat, answer());
  await settle();
  assert.deepEqual(gateway.streams[1].body.messages.at(-1), { role: "assistant", content: "Half" });
  await gateway.push({ kind: "text", text: " done." });
  await gateway.end();
  await going;
  assert.deepEqual([answer().text, answer().state, answer().problem, chat.messages.length], ["Half done.", "finished", null, 2]);
});

test("a file is fenced in the message, by a fence it cannot end", () => {
  const { chats } = stage();
  add(chats.current, { id: "q", role: "user", text: "What is it?", files: [{ name: "a.md", text: "```\nx\n```\n" }] });
  const { content } = requestOf(chats.current, "q", null).messages[0];
  assert.equal(content, "What is it?\n\nFile a.md:\n````\n```\nx\n```\n````");
});
