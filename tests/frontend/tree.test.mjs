import assert from "node:assert/strict";
import { test } from "node:test";

import { add, drop, families, path, positionOf, show } from "../../frontend/site/js/tree.js";

function grown() {
  const chat = { messages: [], leaf: null };
  for (const [id, role] of [["q1", "user"], ["a1", "assistant"], ["q2", "user"], ["a2", "assistant"]]) {
    add(chat, { id, role });
  }
  return chat;
}

const siblings = (chat, message) => families(chat).get(positionOf(message));
const ids = (messages) => messages.map((message) => message.id);
const find = (chat, id) => chat.messages.find((message) => message.id === id);

test("messages follow each other", () => {
  assert.deepEqual(ids(path(grown())), ["q1", "a1", "q2", "a2"]);
});

test("an alternative hides what followed the old one, without losing it", () => {
  const chat = grown();
  add(chat, { id: "b1", role: "assistant" }, "q1");

  assert.deepEqual(ids(path(chat)), ["q1", "b1"]);
  assert.deepEqual(ids(siblings(chat, find(chat, "b1"))), ["a1", "b1"]);
  show(chat, find(chat, "a1"));
  assert.deepEqual(ids(path(chat)), ["q1", "a1", "q2", "a2"]);
});

test("a changed first question starts a path of its own", () => {
  const chat = grown();
  add(chat, { id: "q9", role: "user" }, null);
  assert.deepEqual(ids(path(chat)), ["q9"]);
  assert.deepEqual(ids(siblings(chat, find(chat, "q1"))), ["q1", "q9"]);
});

test("a dropped message gives the end back to its parent", () => {
  const chat = grown();
  drop(chat, find(chat, "a2"));
  assert.deepEqual(ids(path(chat)), ["q1", "a1", "q2"]);
});

test("a record with a cycle or a lost parent is shown as far as it goes", () => {
  const cycle = { messages: [{ id: "a", parent: "b" }, { id: "b", parent: "a" }], leaf: "a" };
  assert.deepEqual(ids(path(cycle)), ["b", "a"]);
  assert.deepEqual(ids(path({ messages: [{ id: "a", parent: "gone" }], leaf: "a" })), ["a"]);
  assert.deepEqual(path({ messages: [], leaf: "gone" }), []);
});
