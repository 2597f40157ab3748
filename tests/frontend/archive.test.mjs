import assert from "node:assert/strict";
import { test } from "node:test";

import { fileName, NotAnArchive, readArchive, toJson, toMarkdown } from "../../frontend/site/js/archive.js";
import { add, path } from "../../frontend/site/js/tree.js";
import { stage } from "./stage.mjs";

function told() {
  const { chats, newId, clock, words } = stage();
  const chat = chats.current;
  chat.title = "Foxes";
  add(chat, { id: "q", role: "user", text: "Why?", files: [{ name: "a.txt", text: "x", tokens: 1 }], state: "finished", at: 1 });
  add(chat, { id: "a1", role: "assistant", text: "One.", state: "finished", at: 2, model: "llama" }, "q");
  add(chat, { id: "a2", role: "assistant", text: "Two", state: "interrupted", at: 3, model: "llama" }, "q");
  return { chat, words, tools: { newId, now: clock.now } };
}

test("what is exported is imported with every version", () => {
  const { chat, tools } = told();
  const [back] = readArchive(toJson([chat], 0), tools);
  assert.deepEqual([back.id, back.title, back.leaf], [chat.id, "Foxes", "a2"]);
  assert.deepEqual(back.messages.map((one) => [one.id, one.parent, one.text, one.state]), [
    ["q", null, "Why?", "finished"],
    ["a1", "q", "One.", "finished"],
    ["a2", "q", "Two", "interrupted"],
  ]);
  assert.deepEqual(back.messages[0].files, [{ name: "a.txt", text: "x", tokens: 1 }]);
});

test("message arrays of OpenAI's interface are chats", () => {
  const { tools } = told();
  const messages = [
    { role: "system", content: "Be brief." },
    { role: "user", content: [{ type: "text", text: "Why" }, { type: "image_url", image_url: {} }, { type: "text", text: "?" }] },
    { role: "assistant", content: "Because." },
  ];
  for (const data of [messages, { messages }, [{ messages }]]) {
    const [chat] = readArchive(JSON.stringify(data), tools);
    assert.deepEqual(path(chat).map((one) => [one.role, one.text]), [["user", "Why?"], ["assistant", "Because."]]);
    assert.equal(chat.settings.system, "Be brief.");
  }
});

test("a foreign record brings only what a chat has", () => {
  const { tools } = told();
  const evil = { id: "x\"><script>", title: 7, evil: 1, messages: [{ id: "m", parent: null, role: "assistant", text: "t", state: "streaming", stream: "s", onclick: "x", usage: { total_tokens: 3, evil: "x" } }] };
  const [chat] = readArchive(JSON.stringify({ chats: [evil] }), tools);
  assert.deepEqual([chat.title, "evil" in chat, chat.id.includes("<")], ["", false, false]);
  const [message] = chat.messages;
  assert.deepEqual([message.state, message.stream, "onclick" in message, message.usage], ["finished", null, false, { total_tokens: 3 }]);
});

test("what holds no chat is said to hold none", () => {
  const { tools } = told();
  for (const text of ["", "{", "null", "[]", "7", "{}", "[{}]", '{"chats":[{"messages":[]}]}', '{"messages":[{"role":"tool","content":"x"}]}']) {
    assert.throws(() => readArchive(text, tools), NotAnArchive, text);
  }
});

test("Markdown is the path on show, and says what is not complete", () => {
  const { chat, words } = told();
  const expected = "# Foxes\n\n## You\n\nWhy?\n\nFile a.txt:\n```\nx\n```\n\n## llama\n\nTwo\n\n*This answer is not complete.*\n";
  assert.equal(toMarkdown(chat, words), expected);
});

test("a file is named by its title's letters", () => {
  assert.deepEqual([fileName("../a: b?", "md"), fileName("Füchse & Trauben", "md"), fileName("???", "json")], ["a-b.md", "Füchse-Trauben.md", "chat.json"]);
});
