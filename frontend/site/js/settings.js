/**
 * One chat's system prompt and sampling, within the served model's limits.
 *
 * Knows: limits from live facts, the chat's settings. Knows nothing of: what a model does with them.
 */

/** The OpenAI interface's own limits; the answer's length is bounded by the model. */
const TEMPERATURE = { low: 0, high: 2 };
const TOP_P = { low: 0, high: 1 };

/** What one starts from; the names are on the page. Null is the model's own. */
const PRESETS = {
  precise: { temperature: 0, top_p: null },
  balanced: { temperature: null, top_p: null },
  inventive: { temperature: 1, top_p: 0.95 },
};

/** Read a number field: null when empty, undefined when not a number within the limits. */
export function readNumber(text, { low, high }, { isWhole = false } = {}) {
  const trimmed = String(text).trim();
  if (trimmed === "") return null;
  const value = Number(trimmed);
  const isFine = Number.isFinite(value) && value >= low && (high === null || value <= high);
  return isFine && (!isWhole || Number.isInteger(value)) ? value : undefined;
}

/** Return the component factory. The fields hold text; only what is within limits reaches the chat. */
export function settings({ chats, live, panels, presets, words }) {
  const shown = (value) => (value === null ? "" : String(value));
  return () => ({
    system: "",
    temperature: "",
    topP: "",
    maxTokens: "",
    /** What is being named: null nothing, "" a new preset, otherwise the id of one. */
    named: null,
    presetName: "",

    init() {
      this.$watch("isOpen", (isOpen) => (isOpen ? this.show() : this.$refs.dialog.close()));
    },
    get isOpen() {
      return panels.isSettingsOpen;
    },
    show() {
      this.named = null;
      this.fill(chats.current.settings);
      this.$refs.dialog.showModal();
    },
    fill({ system, temperature, top_p: topP, max_tokens: maxTokens }) {
      this.system = system;
      this.temperature = shown(temperature);
      this.topP = shown(topP);
      this.maxTokens = shown(maxTokens);
    },
    close() {
      panels.isSettingsOpen = false;
    },
    /** A click on the dialog element itself is a click beside its content. */
    clickBeside(event) {
      if (event.target === event.currentTarget) this.close();
    },
    usePreset({ temperature, top_p: topP }) {
      this.temperature = shown(temperature);
      this.topP = shown(topP);
    },
    usePrecise() {
      this.usePreset(PRESETS.precise);
    },
    useBalanced() {
      this.usePreset(PRESETS.balanced);
    },
    useInventive() {
      this.usePreset(PRESETS.inventive);
    },
    isPreset: (form, name) => form.temperature === shown(PRESETS[name].temperature) && form.topP === shown(PRESETS[name].top_p),
    get isPrecise() {
      return this.isPreset(this, "precise");
    },
    get isBalanced() {
      return this.isPreset(this, "balanced");
    },
    get isInventive() {
      return this.isPreset(this, "inventive");
    },

    // Of one's own presets; `preset` comes from the list around it.
    get ownPresets() {
      return presets.own;
    },
    get presetLabel() {
      return this.preset.name;
    },
    useOwn() {
      this.named = null;
      this.fill(this.preset);
    },
    isLike(preset) {
      const { system, temperature, topP, maxTokens } = this;
      const fields = [preset.temperature, preset.top_p, preset.max_tokens].map(shown);
      return system === preset.system && [temperature, topP, maxTokens].every((text, at) => text.trim() === fields[at]);
    },
    get isOwn() {
      return this.isLike(this.preset);
    },
    /** The preset of one's own that the fields show. */
    get chosen() {
      return presets.own.find((preset) => this.isLike(preset)) ?? null;
    },
    get hasChosen() {
      return this.chosen !== null && !this.isNaming;
    },
    get canKeep() {
      return this.chosen === null && !this.isNaming && !this.isWrong;
    },
    get isNaming() {
      return this.named !== null;
    },
    name(id, text) {
      this.named = id;
      this.presetName = text;
      this.$nextTick(() => this.$refs.presetName.select());
    },
    keepPreset() {
      this.name("", "");
    },
    renamePreset() {
      this.name(this.chosen.id, this.chosen.name);
    },
    removePreset() {
      presets.remove(this.chosen.id);
    },
    get hasNoName() {
      return this.presetName.trim() === "";
    },
    finishNaming() {
      if (this.hasNoName) return;
      if (this.named !== "") presets.rename(this.named, this.presetName);
      else if (!this.isWrong) presets.add(this.presetName, { system: this.system, ...this.read });
      this.named = null;
    },
    cancelNaming() {
      this.named = null;
    },
    /** Enter and Escape are of the name, not of the dialog around it. */
    pressPresetKey(event) {
      if (event.isComposing || !["Enter", "Escape"].includes(event.key)) return;
      event.preventDefault();
      if (event.key === "Enter") this.finishNaming();
      else this.cancelNaming();
    },
    reset() {
      this.fill({ system: "", temperature: null, top_p: null, max_tokens: null });
    },

    get maxTokensLimits() {
      return { low: 1, high: live.model?.maxOutputTokens ?? null };
    },
    get read() {
      return {
        temperature: readNumber(this.temperature, TEMPERATURE),
        top_p: readNumber(this.topP, TOP_P),
        max_tokens: readNumber(this.maxTokens, this.maxTokensLimits, { isWhole: true }),
      };
    },
    get isTemperatureWrong() {
      return this.read.temperature === undefined;
    },
    get isTopPWrong() {
      // Zero would leave no token to choose from.
      return this.read.top_p === undefined || this.read.top_p === 0;
    },
    get isMaxTokensWrong() {
      return this.read.max_tokens === undefined;
    },
    get isWrong() {
      return this.isTemperatureWrong || this.isTopPWrong || this.isMaxTokensWrong;
    },
    get temperatureHint() {
      return words.between(TEMPERATURE.low, TEMPERATURE.high);
    },
    get topPHint() {
      return words.above(TOP_P.low, TOP_P.high);
    },
    get maxTokensHint() {
      return words.between(this.maxTokensLimits.low, this.maxTokensLimits.high);
    },
    get temperatureDefault() {
      return words.standard(live.model?.defaults.temperature ?? null);
    },
    get topPDefault() {
      return words.standard(live.model?.defaults.top_p ?? null);
    },

    apply() {
      if (this.isWrong) return;
      chats.current.settings = { system: this.system, ...this.read };
      if (chats.current.messages.length > 0) chats.save(chats.current, { isTouched: false });
      else chats.jot();
      this.close();
    },
  });
}
