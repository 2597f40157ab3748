import assert from "node:assert/strict";
import { test } from "node:test";

import { presets } from "../../frontend/site/js/presets.js";
import { readNumber, settings } from "../../frontend/site/js/settings.js";
import { memoryStorage } from "../../frontend/site/js/storage.js";
import { scope, stage } from "./stage.mjs";

function opened() {
  const parts = stage();
  const panels = { isSettingsOpen: true };
  const dialog = { isOpen: false, showModal() { this.isOpen = true; }, close() { this.isOpen = false; } };
  const form = scope(settings({ ...parts, panels, presets: presets({ storage: parts.storage, newId: parts.newId }) })(), { $refs: { dialog } });
  parts.live.applyModel({ id: "llama", max_output_tokens: 1024, defaults: { temperature: 0.7, top_p: 0.9 } });
  form.show();
  return { ...parts, panels, form };
}

test("a number is read within its limits; empty is the model's own", () => {
  const limits = { low: 0, high: 2 };
  const cases = [["", null], [" 0 ", 0], ["1.5", 1.5], ["2", 2], ["2.1", undefined], ["-1", undefined], ["x", undefined], ["1e999", undefined]];
  for (const [text, expected] of cases) assert.equal(readNumber(text, limits), expected, text);
  assert.equal(readNumber("1.5", limits, { isWhole: true }), undefined);
  assert.equal(readNumber("99", { low: 1, high: null }), 99);
});

test("what was set is the chat's, and the dialog closes", () => {
  const { form, chats, panels } = opened();
  form.system = "Be brief.";
  form.temperature = "0";
  form.maxTokens = "50";
  form.apply();
  const expected = { system: "Be brief.", temperature: 0, top_p: null, max_tokens: 50 };
  assert.deepEqual([chats.current.settings, panels.isSettingsOpen], [expected, false]);
});

test("what is out of limits is neither saved nor lost", () => {
  const { form, chats, panels } = opened();
  for (const [field, text, flag] of [["temperature", "3", "isTemperatureWrong"], ["topP", "0", "isTopPWrong"], ["maxTokens", "2000", "isMaxTokensWrong"]]) {
    form.reset();
    form[field] = text;
    assert.deepEqual([form[flag], form.isWrong], [true, true]);
    form.apply();
    assert.deepEqual([form[field], panels.isSettingsOpen], [text, true]);
  }
  assert.deepEqual(chats.current.settings, { system: "", temperature: null, top_p: null, max_tokens: null });
});

test("limits and defaults are the model's", () => {
  const { form } = opened();
  assert.deepEqual([form.maxTokensHint, form.temperatureDefault, form.topPDefault], ["1 to 1,024", "0.7", "0.9"]);
});

test("opening shows what the chat has", () => {
  const { form, chats } = opened();
  chats.current.settings = { system: "S", temperature: 1, top_p: 0.5, max_tokens: 9 };
  form.show();
  assert.deepEqual([form.system, form.temperature, form.topP, form.maxTokens], ["S", "1", "0.5", "9"]);
  form.reset();
  assert.deepEqual([form.system, form.temperature, form.topP, form.maxTokens], ["", "", "", ""]);
});

test("own presets are kept, replaced by name, renamed and removed", () => {
  const storage = memoryStorage();
  let ids = 0;
  const opened = () => presets({ storage, newId: () => `p${(ids += 1)}` });
  const kept = opened();
  const brief = { system: "Be brief.", temperature: 0.2, top_p: null, max_tokens: 40 };
  kept.add("  Brief   answers ", brief);
  kept.add("Brief answers", { ...brief, temperature: 0.4 });
  assert.equal(kept.add(" ", brief), null);
  assert.deepEqual(opened().own, [{ id: "p1", name: "Brief answers", ...brief, temperature: 0.4 }]);
  kept.rename("p1", "Short");
  kept.rename("p1", " ");
  assert.deepEqual(opened().own.map((one) => one.name), ["Short"]);
  kept.remove("p1");
  assert.deepEqual(opened().own, []);
});

test("presets that are none are left out", () => {
  const storage = memoryStorage();
  for (const text of ["{", "null", "[1, null, {}]", '[{"id":"a","name":1,"system":""}]']) {
    storage.setItem("paddock.presets", text);
    assert.deepEqual(presets({ storage, newId: () => "x" }).own, [], text);
  }
  storage.setItem("paddock.presets", '[{"id":"a","name":"A","system":"","temperature":"hot","evil":1}]');
  assert.deepEqual(presets({ storage, newId: () => "x" }).own, [{ id: "a", name: "A", system: "", temperature: null, top_p: null, max_tokens: null }]);
});
