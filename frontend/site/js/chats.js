/**
 * The chats of this browser: which exist, which one is open, what is typed but not sent.
 *
 * Knows: history's store. Knows nothing of: streams, the document, Alpine (main.js makes this reactive).
 */
import { byPlace, StorageFull, summary } from "./history.js";

/** A title is the first line of the first question, cut to what the list can show. */
const TITLE_CHARACTERS = 60;

/**
 * Return the state and its moves. `now` is wall time in milliseconds, for ordering only. `tell` spreads
 * the news of a write or a removal to the other tabs; `reactive` makes a chat that was read one that is watched.
 */
export function chats({ store, newId, now, tell = () => {}, reactive = (chat) => chat }) {
  // Chats with a write under way: a page that goes away now would lose it.
  const unwritten = new Map();
  return {
    list: [],
    current: blank({ newId, now }),
    draft: "",
    /** The chat deleted last, until the chance to take it back is over. */
    deleted: null,
    isStorageFull: false,
    /** The chats being answered now, by id: theirs is the truth, the stored record lags behind. */
    running: {},
    /** The chats another tab is answering, by id. */
    elsewhere: {},
    /** The ids a search found; null while nobody searches. */
    found: null,

    /** Return the living object of a chat, or what is stored, or null. */
    async load(id) {
      if (this.current.id === id) return this.current;
      if (this.running[id] !== undefined) return this.running[id];
      const kept = await store.read(id);
      return kept === null ? null : reactive(kept);
    },

    isListed(id) {
      return this.list.some((one) => one.id === id);
    },

    /** Read what is kept and open what was open. */
    async restore() {
      await this.keep(() => store.adopt());
      this.list = await store.list();
      const open = store.readOpen();
      const kept = open === null ? null : await store.read(open);
      if (kept !== null) this.current = kept;
      else if (open !== null) this.current.id = open; // Never sent to: only its draft is kept.
      this.draft = store.readDraft(this.current.id);
    },

    async open(id) {
      const chat = await this.load(id);
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

    /** Write a chat down and put it where it belongs in the list. */
    save(chat, { isTouched = true } = {}) {
      if (isTouched) chat.updated = now();
      if (!chat.isRenamed) chat.title = titleOf(chat);
      const index = this.list.findIndex((one) => one.id === chat.id);
      if (index === -1) this.list.unshift(summary(chat));
      else this.list[index] = summary(chat);
      this.list.sort(byPlace);
      return this.keep(async () => {
        store.writeOpen(this.current.id);
        unwritten.set(chat.id, chat);
        const added = await store.write(chat);
        unwritten.delete(chat.id);
        for (const message of added) {
          if (!chat.messages.some((one) => one.id === message.id)) chat.messages.push(message);
        }
        // Deleted while it was being written: what was written must go too.
        if (!this.isListed(chat.id)) await store.remove(chat.id);
        tell({ kind: "wrote", id: chat.id, isRunning: this.running[chat.id] !== undefined });
      });
    },

    async rename(id, title) {
      const text = title.trim().slice(0, 200);
      const chat = text === "" ? null : await this.load(id);
      if (chat === null) return;
      chat.title = text;
      chat.isRenamed = true;
      await this.save(chat, { isTouched: false });
    },

    /** Keep a chat at the top of the list, or no longer. */
    async pin(id) {
      const chat = await this.load(id);
      if (chat === null) return;
      chat.isPinned = chat.isPinned !== true;
      await this.save(chat, { isTouched: false });
    },

    /** Delete a chat; `undelete` brings it back while `deleted` holds it. */
    async remove(id) {
      const loading = this.load(id);
      this.list = this.list.filter((one) => one.id !== id);
      if (this.current.id === id) this.show(blank({ newId, now }));
      this.deleted = await loading;
      await store.remove(id);
      tell({ kind: "removed", id });
    },

    async undelete() {
      const chat = this.deleted;
      if (chat === null) return;
      this.deleted = null;
      await this.save(chat, { isTouched: false });
      this.show(chat);
    },

    forget() {
      this.deleted = null;
    },

    /** Take over what another tab wrote, unless the chat is being answered in this one. */
    async refresh(id) {
      this.list = await store.list();
      if (id !== this.current.id || this.running[id] !== undefined) return;
      const kept = await store.read(id);
      if (kept !== null && id === this.current.id && this.running[id] === undefined) this.current = kept;
    },

    /** Another tab deleted a chat. */
    drop(id) {
      this.list = this.list.filter((one) => one.id !== id);
      if (this.current.id === id) this.show(blank({ newId, now }));
    },

    /** Find the chats in which all words of a text occur; an empty text ends the search. */
    async search(text) {
      this.found = text.trim() === "" ? null : await store.search(text);
    },

    /** Add chats from outside; one that is here already stays as it is. Returns how many were new. */
    async add(incoming) {
      const fresh = incoming.filter((chat) => !this.isListed(chat.id));
      for (const chat of fresh) await this.save(chat, { isTouched: false });
      if (fresh.length > 0) await this.open(fresh[0].id);
      return fresh.length;
    },

    all: () => store.all(),

    /** The page goes away: put down at once what is being answered or written. */
    leave() {
      for (const chat of new Set([...Object.values(this.running), ...unwritten.values()])) {
        if (this.isListed(chat.id)) this.keep(() => store.leave(chat));
      }
    },

    /** Run a write; a full storage is shown, never thrown at who typed. */
    async keep(write) {
      try {
        await write();
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
    isPinned: false,
    updated: now(),
    settings: { system: "", temperature: null, top_p: null, max_tokens: null },
    messages: [],
    dropped: [],
    leaf: null,
  };
}

function titleOf(chat) {
  const first = chat.messages.find((message) => message.role === "user");
  const line = (first?.text.trim() || (first?.files?.[0]?.name ?? "")).split("\n", 1)[0];
  return line.length > TITLE_CHARACTERS ? `${line.slice(0, TITLE_CHARACTERS - 1).trimEnd()}…` : line;
}
