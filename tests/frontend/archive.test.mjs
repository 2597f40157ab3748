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

test("the parts of OpenAI's newer interface are read, too", () => {
  const { tools } = told();
  const messages = [
    { role: "user", content: [{ type: "input_text", text: "Why?" }, { type: "input_image", image_url: "x" }] },
    { role: "assistant", content: [{ type: "output_text", text: "Because.", annotations: [] }] },
  ];
  const [chat] = readArchive(JSON.stringify(messages), tools);
  assert.deepEqual(path(chat).map((one) => one.text), ["Why?", "Because."]);
});

test("what ChatGPT exports is a chat with its branches", () => {
  const { tools } = told();
  const node = (id, parent, role, parts, at) => ({ id, parent, message: role && { author: { role }, create_time: at, content: { content_type: "text", parts } } });
  const mapping = Object.fromEntries(
    [
      node("root", null),
      node("hidden", "root", "system", [""], 1),
      node("two", "q", "assistant", ["Two."], 5),
      node("q", "hidden", "user", ["Why?", { content_type: "image_asset_pointer" }], 2),
      node("tool", "q", "tool", ["{}"], 3),
      node("one", "tool", "assistant", ["One."], 4),
      node("round", "round", "assistant", ["Alone."], 6),
    ].map((one) => [one.id, one]),
  );
  const [chat] = readArchive(JSON.stringify([{ id: "talk", title: "Foxes", update_time: 7, mapping, current_node: "one" }]), tools);
  assert.deepEqual([chat.id, chat.title, chat.updated, chat.leaf], ["talk", "Foxes", 7000, "one"]);
  assert.deepEqual(chat.messages.map((one) => [one.id, one.parent, one.text]), [
    ["q", null, "Why?"],
    ["one", "q", "One."],
    ["two", "q", "Two."],
    ["round", null, "Alone."],
  ]);
  assert.deepEqual(path(chat).map((one) => one.text), ["Why?", "One."]);
});

test("an answer exported while it was written is not complete", () => {
  const { chat, tools, words } = told();
  chat.messages[2].state = "streaming";
  assert.match(toMarkdown(chat, words), /Two\n\n\*This answer is not complete/);
  assert.equal(readArchive(toJson([chat], 0), tools)[0].messages[2].state, "interrupted");
});

test("a foreign record brings only what a chat has", () => {
  const { tools } = told();
  const evil = { id: "x\"><script>", title: 7, evil: 1, messages: [{ id: "m", parent: null, role: "assistant", text: "t", state: "streaming", stream: "s", onclick: "x", usage: { total_tokens: 3, evil: "x" } }] };
  const [chat] = readArchive(JSON.stringify({ chats: [evil] }), tools);
  assert.deepEqual([chat.title, "evil" in chat, chat.id.includes("<")], ["", false, false]);
  const [message] = chat.messages;
  assert.deepEqual([message.state, message.stream, "onclick" in message, message.usage], ["interrupted", null, false, { total_tokens: 3 }]);
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
