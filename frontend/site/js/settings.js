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
export function settings({ chats, live, panels, words }) {
  const shown = (value) => (value === null ? "" : String(value));
  return () => ({
    system: "",
    temperature: "",
    topP: "",
    maxTokens: "",

    init() {
      this.$watch("isOpen", (isOpen) => (isOpen ? this.show() : this.$refs.dialog.close()));
    },
    get isOpen() {
      return panels.isSettingsOpen;
    },
    show() {
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
