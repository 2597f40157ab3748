/**
 * Light or dark: the system's wish unless one chose here.
 *
 * Knows: the `data-look` attribute the style sheet reads. Knows nothing of: colours.
 */

const KEY = "paddock.look";

/** In the order the button goes through them. */
export const LOOKS = ["system", "light", "dark"];

/** Return the choice as a small component; `root` is the document's root element. */
export function look({ root, storage, words }) {
  return () => ({
    look: "system",

    init() {
      const kept = storage.getItem(KEY);
      this.wear(LOOKS.includes(kept) ? kept : "system");
    },

    wear(choice) {
      this.look = choice;
      root.dataset.look = choice;
    },

    nextLook() {
      const next = LOOKS[(LOOKS.indexOf(this.look) + 1) % LOOKS.length];
      this.wear(next);
      storage.setItem(KEY, next);
    },

    get isSystemLook() {
      return this.look === "system";
    },
    get isLightLook() {
      return this.look === "light";
    },
    get isDarkLook() {
      return this.look === "dark";
    },
    get lookLabel() {
      return words.look(this.look);
    },
  });
}
