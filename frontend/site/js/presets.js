/**
 * Settings one keeps under a name, to start other chats from.
 *
 * Knows: where they are kept. Knows nothing of: the dialog, what the settings do.
 */

const KEY = "paddock.presets";
const NAME_CHARACTERS = 60;

/** Return the state and its moves; `storage` is a Web Storage area. */
export function presets({ storage, newId }) {
  return {
    own: read(storage.getItem(KEY)),

    /** Keep settings under a name; another of that name is replaced. Returns the preset, null without a name. */
    add(name, { system, temperature, top_p: topP, max_tokens: maxTokens }) {
      const called = clean(name);
      if (called === "") return null;
      const preset = { id: newId(), name: called, system, temperature, top_p: topP, max_tokens: maxTokens };
      const at = this.own.findIndex((one) => one.name === called);
      if (at === -1) this.own.push(preset);
      else this.own[at] = { ...preset, id: this.own[at].id };
      this.write();
      return preset;
    },

    rename(id, name) {
      const preset = this.own.find((one) => one.id === id);
      if (preset === undefined || clean(name) === "") return;
      preset.name = clean(name);
      this.write();
    },

    remove(id) {
      this.own = this.own.filter((one) => one.id !== id);
      this.write();
    },

    write() {
      try {
        storage.setItem(KEY, JSON.stringify(this.own));
      } catch {
        // A full storage: they last as long as the page.
      }
    },
  };
}

const clean = (name) => name.trim().replace(/\s+/g, " ").slice(0, NAME_CHARACTERS);

/** Read what is kept, field by field; what is no preset is left out. */
function read(text) {
  let kept;
  try {
    kept = JSON.parse(text ?? "[]");
  } catch {
    return [];
  }
  const finite = (value) => (Number.isFinite(value) ? value : null);
  return (Array.isArray(kept) ? kept : [])
    .filter((one) => typeof one?.id === "string" && typeof one.name === "string" && typeof one.system === "string")
    .map(({ id, name, system, temperature, top_p: topP, max_tokens: maxTokens }) => ({
      id,
      name: clean(name),
      system,
      temperature: finite(temperature),
      top_p: finite(topP),
      max_tokens: finite(maxTokens),
    }));
}
