/**
 * What belongs to the page and not to one chat: language, files of chats in and out, the shortcuts.
 *
 * Knows: chats, the archive's forms. Knows nothing of: how a file is saved, storage.
 */
import { fileName, NotAnArchive, readArchive, toJson, toMarkdown } from "./archive.js";

const JSON_TYPE = "application/json";

/** Return `exportAll()`: every chat into one file. */
export function exporter({ chats, saveFile, now, words }) {
  return async () => saveFile(fileName(words.exportName, "json"), toJson(await chats.all(), now()), JSON_TYPE);
}

/** Return the component factory; `saveFile(name, text, type)` hands a file to the browser. */
export function more({ chats, panels, keys, shortcuts, tongue, saveFile, exportAll, newId, now, words }) {
  return () => ({
    outcome: "",

    init() {
      this.$watch("isOpen", (isOpen) => (isOpen ? this.show() : this.$refs.moreDialog.close()));
    },
    get isOpen() {
      return panels.isMoreOpen;
    },
    show() {
      this.outcome = "";
      this.$refs.moreDialog.showModal();
    },
    close() {
      panels.isMoreOpen = false;
    },
    clickBeside(event) {
      if (event.target === event.currentTarget) this.close();
    },

    get language() {
      return tongue.choice;
    },
    set language(choice) {
      tongue.choose(choice);
    },
    get hasSingleKeys() {
      return shortcuts.hasSingleKeys;
    },
    set hasSingleKeys(value) {
      shortcuts.allowSingleKeys(value);
    },
    get hasKey() {
      return keys.key !== "";
    },
    forgetKey() {
      keys.use("", false);
    },

    get hasNoMessages() {
      return chats.current.messages.length === 0;
    },
    get hasNoChats() {
      return chats.list.length === 0;
    },
    exportAll,
    exportChat() {
      saveFile(fileName(chats.current.title, "json"), toJson([chats.current], now()), JSON_TYPE);
    },
    exportMarkdown() {
      saveFile(fileName(chats.current.title, "md"), toMarkdown(chats.current, words), "text/markdown");
    },
    pickArchive() {
      this.$refs.archive.click();
    },
    async importFile(event) {
      const input = event.target;
      try {
        const incoming = (await Promise.all([...input.files].map((file) => file.text()))).flatMap((text) => readArchive(text, { newId, now }));
        const added = await chats.add(incoming);
        this.outcome = words.imported(added, incoming.length - added);
      } catch (error) {
        if (!(error instanceof NotAnArchive)) throw error;
        this.outcome = words.notAnArchive;
      } finally {
        input.value = "";
      }
    },
  });
}
