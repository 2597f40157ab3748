/**
 * The list of chats: search, open, new, rename, pin, delete and take back.
 *
 * Knows: chats, answers. Knows nothing of: streams, storage.
 */

/** How long a deletion can be taken back. */
const UNDO_SECONDS = 8;

/** A search begins when one stops typing. */
const SEARCH_SECONDS = 0.15;

/** Return the component factory. `panels` holds which side panels are open. */
export function shelf({ chats, answers, panels, words, setTimeout, clearTimeout }) {
  let searchTimer = null;
  return () => ({
    renamedId: null,
    renamedTitle: "",

    get chats() {
      return chats.found === null ? chats.list : chats.list.filter((chat) => chats.found.has(chat.id));
    },
    get hasChats() {
      return chats.list.length > 0;
    },
    get query() {
      return panels.query;
    },
    set query(text) {
      panels.query = text;
      clearTimeout(searchTimer);
      searchTimer = setTimeout(() => chats.search(text), SEARCH_SECONDS * 1000);
    },
    pressSearchKey(event) {
      if (event.key !== "Escape" || this.query === "") return;
      event.preventDefault();
      this.query = "";
    },
    get isNothingFound() {
      return chats.found !== null && this.chats.length === 0;
    },
    get hasNoChats() {
      return chats.list.length === 0;
    },
    get isOpen() {
      return panels.isShelfOpen;
    },
    get shelfClass() {
      return panels.isShelfOpen ? "open" : "";
    },
    closeShelf() {
      panels.isShelfOpen = false;
    },
    pressEscapeShelf(event) {
      if (!panels.isShelfOpen || event.defaultPrevented) return;
      event.preventDefault();
      this.closeShelf();
    },

    newChat() {
      chats.openNew();
      this.closeShelf();
    },
    openChat() {
      chats.open(this.chat.id);
      this.closeShelf();
    },

    // Of one row: `chat` comes from the list around it.
    /** Where a group of chats begins: what it is called. What a search found stands in one group. */
    get day() {
      return chats.found === null ? (panels.days[this.chat.id] ?? "") : "";
    },
    get hasDay() {
      return this.day !== "";
    },
    get chatTitle() {
      return this.chat.title || words.untitled;
    },
    /** Where a search found it: {before, match, after}; the title shows its own words. */
    get hit() {
      return chats.found?.get(this.chat.id) ?? { before: "", match: "", after: "" };
    },
    get hasHit() {
      return this.hit.match !== "";
    },
    get hitBefore() {
      return this.hit.before;
    },
    get hitMatch() {
      return this.hit.match;
    },
    get hitAfter() {
      return this.hit.after;
    },
    get current() {
      return this.chat.id === chats.current.id ? "page" : null;
    },
    get isBusy() {
      return answers.isRunning(this.chat.id);
    },
    get isRenamed() {
      return this.chat.id === this.renamedId;
    },
    get isPlain() {
      return !this.isRenamed;
    },
    get isPinned() {
      return this.chat.isPinned === true;
    },
    get pinLabel() {
      return this.isPinned ? words.unpin : words.pin;
    },
    pinChat() {
      chats.pin(this.chat.id);
    },
    startRename() {
      this.renamedId = this.chat.id;
      this.renamedTitle = this.chatTitle;
      const row = this.$el.closest(".chat");
      this.$nextTick(() => row.querySelector("input").select());
    },
    finishRename() {
      if (this.renamedId !== null) chats.rename(this.renamedId, this.renamedTitle);
      this.renamedId = null;
    },
    pressRenameKey(event) {
      if (event.key !== "Escape") return;
      event.preventDefault();
      this.renamedId = null;
    },

    removeChat() {
      const { id } = this.chat;
      if (answers.isRunning(id)) chats.load(id).then((chat) => chat && answers.stop(chat));
      chats.remove(id);
    },
  });
}

/** Return the factory of the short notices at the bottom: a deletion to take back, a full storage. */
export function notices({ chats, words, exportAll, setTimeout, clearTimeout }) {
  let timer = null;
  return () => ({
    /** The time to take a deletion back begins when it is shown, also on a page that was loaded anew. */
    init() {
      const count = () => {
        clearTimeout(timer);
        if (chats.deleted !== null) timer = setTimeout(() => chats.forget(), UNDO_SECONDS * 1000);
      };
      this.$watch("deletedId", count);
      count();
    },
    get deletedId() {
      return chats.deleted?.id ?? null;
    },
    get isDeletedShown() {
      return chats.deleted !== null;
    },
    get deletedText() {
      return chats.deleted === null ? "" : words.deleted(chats.deleted.title || words.untitled);
    },
    undelete() {
      chats.undelete();
    },
    get isStorageFull() {
      return chats.isStorageFull;
    },
    get storageText() {
      return words.storageFull;
    },
    exportAll,
  });
}
