import assert from "node:assert/strict";
import { test } from "node:test";

import { status } from "../../frontend/site/js/status.js";
import { scope, stage } from "./stage.mjs";

const STATS = { backlog: 3, num_total_runners: 1, model: "llama", running: 8, slots: 8, tokens_per_second: 90, phase: "ready", phase_seconds: 12, reason: null };

function shown() {
  const parts = stage();
  const panels = {};
  return { ...parts, panels, bar: scope(status({ ...parts, panels })()) };
}

/** The line beside the phase, as it stands there. */
const load = (bar) => bar.enginesLabel + bar.slotsLabel + bar.waitingLabel;

test("before the first news nothing is claimed", () => {
  const { bar } = shown();
  assert.deepEqual([bar.phaseLabel, load(bar), bar.isBannerShown, bar.hasModel], ["Connecting", "", false, false]);
});

test("a ready engine is one line and no banner", () => {
  const { bar, live } = shown();
  live.applyStats(STATS);
  const expected = ["Ready", "1 engine online · 8 of 8 slots busy · 3 waiting", false, "dot ready"];
  assert.deepEqual([bar.phaseLabel, load(bar), bar.isBannerShown, bar.dotClass], expected);
});

test("a loading engine says since when", () => {
  const { bar, live, clock } = shown();
  live.applyStats({ ...STATS, phase: "loading" });
  clock.pass(3);
  live.tick();
  const expected = [true, "The model is loading. You can write meanwhile.", "15 s so far"];
  assert.deepEqual([bar.isBannerShown, bar.bannerText, bar.bannerDetail], expected);
});

test("a failed engine gives its reason", () => {
  const { bar, live } = shown();
  live.applyStats({ ...STATS, phase: "failed", reason: "Out of memory." });
  assert.deepEqual([bar.bannerDetail, bar.bannerClass], ["Out of memory.", "banner bad"]);
});

test("a gateway out of reach hides the old figures", () => {
  const { bar, live } = shown();
  live.applyStats(STATS);
  live.lose();
  assert.deepEqual([bar.phaseLabel, load(bar), bar.isBannerShown, bar.dotClass], ["No connection", "", true, "dot lost"]);
});

test("the served model is named, and the demo model called one", () => {
  const { bar, live } = shown();
  live.applyModel({ id: "paddock-demo", demo: true });
  assert.deepEqual([bar.modelName, bar.isDemo], ["paddock-demo", true]);
  live.applyModel({ id: "llama" });
  live.applyModel(null);
  assert.deepEqual([bar.modelName, bar.isDemo], ["llama", false]);
});

test("the bar opens the panels", () => {
  const { bar, panels } = shown();
  bar.openShelf();
  bar.openSettings();
  assert.deepEqual(panels, { isShelfOpen: true, isSettingsOpen: true });
});

test("a download is told in its phases, with what is left of it", () => {
  const { bar, live, words } = shown();
  const under = { phase: "downloading", bytes_done: 4.2e9, bytes_total: 16.1e9, bytes_per_second: 9e7, seconds_left: 132, error: null };
  const told = (download) => {
    live.applyStats({ ...STATS, phase: "starting", download });
    return [bar.bannerText, bar.bannerDetail, bar.bannerClass, bar.hasBar];
  };
  assert.deepEqual(told(under), [words.downloads.downloading, "4.2 GB of 16.1 GB downloaded · 90 MB/s · about 2 min 12 s to go", "banner", true]);
  const checking = { ...under, phase: "checking", bytes_done: 0, bytes_total: 0, bytes_per_second: 0, seconds_left: null };
  assert.deepEqual(told(checking), [words.downloads.checking, "", "banner", false]);
  assert.equal(told({ ...under, phase: "verifying" })[0], words.downloads.verifying);
  const error = { code: "licence_not_accepted", message: "Accept the licence first." };
  assert.deepEqual(told({ ...under, phase: "failed", error }).slice(0, 3), [words.downloads.failed, "Accept the licence first.", "banner bad"]);
  assert.equal(told({ ...under, phase: "stopped", bytes_per_second: 0, seconds_left: null })[2], "banner bad");
  assert.equal(told({ ...under, phase: "complete" })[0], words.notReady.starting);
});

test("a clock that missed more than its tick has slept", () => {
  const { live, clock } = shown();
  clock.pass(1);
  assert.equal(live.tick(), false);
  clock.pass(60);
  assert.equal(live.tick(), true);
});
