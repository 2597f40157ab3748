/**
 * Keys that work anywhere on the page.
 *
 * Single characters can be turned off: speech input and shaky hands press them unasked.
 *
 * Knows: which keys. Knows nothing of: what they do.
 */

const KEY = "paddock.keys";

/** Return the state and its listener; `moves` has {list, search, newChat, write}. */
export function shortcuts({ storage, moves }) {
  return {
    hasSingleKeys: storage.getItem(KEY) !== "off",

    allowSingleKeys(value) {
      this.hasSingleKeys = value;
      if (value) storage.removeItem(KEY);
      else storage.setItem(KEY, "off");
    },

    press(event) {
      const move = this.moveOf(event);
      if (move === null) return;
      event.preventDefault();
      moves[move]();
    },

    moveOf(event) {
      if (event.defaultPrevented || event.isComposing || event.altKey) return null;
      // A dialog has its own keys.
      if (event.target?.closest?.("dialog")) return null;
      const isCommand = event.ctrlKey || event.metaKey;
      const key = event.key.toLowerCase();
      if (isCommand && key === "k") return "search";
      if (isCommand && event.shiftKey && key === "o") return "newChat";
      const isTyping = event.target?.closest?.("input, textarea, select, [contenteditable]");
      if (isCommand || isTyping || !this.hasSingleKeys) return null;
      if (key === "?") return "list";
      return key === "/" ? "write" : null;
    },
  };
}
