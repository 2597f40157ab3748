/**
 * The chats of this browser: which exist, which one is open, what is typed but not sent.
 *
 * Knows: history's store. Knows nothing of: streams, the document, Alpine (main.js makes this reactive).
 */
import { StorageFull, summary } from "./history.js";

/** A title is the first line of the first question, cut to what the list can show. */
const TITLE_CHARACTERS = 60;

/** Return the state and its moves. `now` is wall time in milliseconds, for ordering only. */
export function chats({ store, newId, now }) {
  return {
    list: [],
    current: blank({ newId, now }),
    draft: "",
    /** The chat deleted last, until the chance to take it back is over. */
    deleted: null,
    isStorageFull: false,
    /** The chats being answered now, by id: theirs is the truth, the stored record lags behind. */
    running: {},

    /** Return the living object of a chat, or what is stored, or null. */
    find(id) {
      if (this.current.id === id) return this.current;
      return this.running[id] ?? store.read(id);
    },

    /** Read what is kept and open what was open. */
    restore() {
      this.list = store.list();
      const open = store.readOpen();
      const kept = open === null ? null : store.read(open);
      if (kept !== null) this.current = kept;
      else if (open !== null) this.current.id = open; // Never sent to: only its draft is kept.
      this.draft = store.readDraft(this.current.id);
    },

    open(id) {
      const chat = this.find(id);
      if (chat !== null) this.show(chat);
    },

    /** Start an empty chat, or stay in the one that is empty already. */
    openNew() {
      if (this.current.messages.length === 0) return;
      this.show(blank({ newId, now }));
    },

    show(chat) {
      this.current = chat;
      this.draft = store.readDraft(chat.id);
      this.keep(() => store.writeOpen(chat.id));
    },

    type(text) {
      this.draft = text;
      this.keep(() => {
        store.writeDraft(this.current.id, text);
        store.writeOpen(this.current.id);
      });
    },

    /** Write a chat down and move it to the top of the list. */
    save(chat, { isTouched = true } = {}) {
      if (isTouched) chat.updated = now();
      if (!chat.isRenamed) chat.title = titleOf(chat);
      const index = this.list.findIndex((one) => one.id === chat.id);
      if (index === -1) this.list.unshift(summary(chat));
      else this.list[index] = summary(chat);
      this.list.sort((one, other) => other.updated - one.updated);
      this.keep(() => {
        store.write(chat);
        store.writeOpen(this.current.id);
      });
    },

    rename(id, title) {
      const chat = this.find(id);
      const text = title.trim().slice(0, 200);
      if (chat === null || text === "") return;
      chat.title = text;
      chat.isRenamed = true;
      this.save(chat, { isTouched: false });
    },

    /** Delete a chat; `undelete` brings it back while `deleted` holds it. */
    remove(id) {
      this.deleted = this.find(id);
      this.list = this.list.filter((one) => one.id !== id);
      store.remove(id);
      if (this.current.id === id) this.show(blank({ newId, now }));
    },

    undelete() {
      const chat = this.deleted;
      if (chat === null) return;
      this.deleted = null;
      this.save(chat, { isTouched: false });
      this.open(chat.id);
    },

    forget() {
      this.deleted = null;
    },

    /** Take over what another tab wrote, unless the chat is being answered in this one. */
    refresh(id) {
      this.list = store.list();
      if (id !== this.current.id || this.running[id] !== undefined) return;
      const kept = store.read(id);
      if (kept !== null) this.current = kept;
    },

    /** Run a write; a full storage is shown, never thrown at who typed. */
    keep(write) {
      try {
        write();
        this.isStorageFull = false;
      } catch (error) {
        if (!(error instanceof StorageFull)) throw error;
        this.isStorageFull = true;
      }
    },
  };
}

/** Return an empty chat with the model's own defaults. */
function blank({ newId, now }) {
  return {
    id: newId(),
    title: "",
    isRenamed: false,
    updated: now(),
    settings: { system: "", temperature: null, top_p: null, max_tokens: null },
    messages: [],
    leaf: null,
  };
}

function titleOf(chat) {
  const first = chat.messages.find((message) => message.role === "user")?.text.trim() ?? "";
  const line = first.split("\n", 1)[0];
  return line.length > TITLE_CHARACTERS ? `${line.slice(0, TITLE_CHARACTERS - 1).trimEnd()}…` : line;
}
