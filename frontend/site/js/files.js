/**
 * The files beside the message box: picked, dropped or pasted, with their counts.
 *
 * Knows: attached files. Knows nothing of: what is in them, how they are counted.
 */

/** Return the component factory. */
export function files({ attached, live, words }) {
  return () => ({
    isOver: false,

    get files() {
      return attached.files;
    },
    get hasFiles() {
      return attached.files.length > 0;
    },
    get refusal() {
      return attached.refusal;
    },
    get hasRefusal() {
      return attached.refusal !== "";
    },
    /** What the question comes to, with its files and the chat before it. */
    get totalNote() {
      const contextWindow = live.model?.contextWindow ?? null;
      return attached.total === null || contextWindow === null ? "" : words.total(attached.total, contextWindow);
    },
    get hasTotal() {
      return this.hasFiles && this.totalNote !== "";
    },
    // Of one chip: `file` comes from the list around it.
    get fileName() {
      return this.file.name;
    },
    get fileCount() {
      return this.file.tokens === null ? words.counting : words.tokens(this.file.tokens);
    },
    get dropLabel() {
      return words.dropFile(this.file.name);
    },
    dropFile() {
      attached.drop(this.file.id);
    },
    pickFiles() {
      this.$refs.picker.click();
    },
    async takePicked(event) {
      await attached.take([...event.target.files]);
      event.target.value = "";
    },
    /** A pasted file is one; pasted text stays text. */
    pasteFiles(event) {
      const given = [...(event.clipboardData?.files ?? [])];
      if (given.length === 0) return;
      event.preventDefault();
      attached.take(given);
    },
    dragFiles(event) {
      if (!event.dataTransfer?.types.includes("Files")) return;
      event.preventDefault();
      this.isOver = event.type === "dragover";
    },
    takeDropped(event) {
      this.isOver = false;
      const given = [...(event.dataTransfer?.files ?? [])];
      if (given.length === 0) return;
      event.preventDefault();
      attached.take(given);
    },
    get composerClass() {
      return this.isOver ? "composer is-over" : "composer";
    },
  });
}
