/**
 * The chats of this browser: which exist, which one is open, what is typed but not sent.
 *
 * Knows: history's store. Knows nothing of: streams, the document, Alpine (main.js makes this reactive).
 */
import { blank, draftOf, titleOf } from "./chat.js";
import { drafts } from "./drafts.js";
import { byPlace, StorageFull, summary } from "./history.js";
import { adopt } from "./merge.js";

/**
 * Return the state and its moves. `now` is wall time in milliseconds, for ordering only. `tell` spreads
 * the news of a write or a removal to the other tabs; `reactive` makes a chat that was read one that is watched.
 */
export function chats({ store, newId, now, tell = () => {}, reactive = (chat) => chat }) {
  // Chats with a write under way, or with one that failed: they are here alone.
  const unwritten = new Map();
  // The newest write of each: an older one that ends does not make the chat written.
  const newest = new Map();
  const typed = drafts({ store });
  // The chat that is written down as open, and the one that is to be.
  let [noted, noting] = [null, null];
  return {
    list: [],
    current: blank({ newId, now }),
    /** What is typed for the open chat and not sent, and the files beside it. */
    draft: "",
    files: [],
    /** The chat one began to write in and has not sent to: New chat leads back to it. */
    unsent: null,
    /** The chat deleted last, until the chance to take it back is over. */
    deleted: null,
    isStorageFull: false,
    /** The chats being answered now, by id: theirs is the truth, the stored record lags behind. */
    running: {},
    /** The chats another tab is answering, by id. */
    elsewhere: {},
    /** What a search found, by chat; null while nobody searches. */
    found: null,

    /** Return the living object of a chat, what is stored, or null. */
    async load(id) {
      if (this.current.id === id) return this.current;
      if (this.running[id] !== undefined) return this.running[id];
      if (unwritten.has(id)) return unwritten.get(id);
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
      this.deleted = await store.readRemoved();
      const open = await store.readOpen();
      [noted, noting] = [open, open];
      const kept = open === null ? null : await store.read(open);
      if (kept !== null) this.current = kept;
      else if (open !== null) this.current.id = open; // Never sent to: only its draft is kept.
      this.take(await typed.read(this.current.id));
    },

    async open(id) {
      const chat = await this.load(id);
      if (chat !== null) this.show(chat, await typed.read(id));
    },

    /** Start an empty chat, or stay in the one that is empty already. */
    openNew() {
      if (this.current.messages.length === 0) return;
      const { chat, draft } = this.unsent ?? { chat: blank({ newId, now }) };
      this.show(chat, draft);
    },

    show(chat, draft) {
      const isUnsent = this.current.messages.length === 0 && (this.draft !== "" || this.files.length > 0);
      if (isUnsent && chat !== this.current) this.unsent = { chat: this.current, draft: draftOf(this) };
      else if (chat === this.unsent?.chat) this.unsent = null;
      this.current = chat;
      this.take(draft);
      this.keep(() => this.noteOpen());
    },

    /** Have a draft in the box. */
    take({ text = "", files = [], settings = null } = {}) {
      this.draft = text;
      this.files = files;
      if (settings !== null && this.current.messages.length === 0) this.current.settings = settings;
    },

    type(text) {
      this.draft = text;
      return this.jot();
    },

    /** Write down what is typed. */
    jot() {
      const { id } = this.current;
      const draft = draftOf(this);
      return this.keep(() => Promise.all([typed.write(id, draft), this.noteOpen()]));
    },

    /** Write down which chat is open. */
    async noteOpen() {
      const { id } = this.current;
      noting = id;
      if (id === noted) return;
      await store.writeOpen(id);
      noted = id;
    },

    /** Write a chat down and put it where it belongs in the list. */
    save(chat, { isTouched = true } = {}) {
      if (isTouched) chat.updated = now();
      if (!chat.isRenamed) chat.title = titleOf(chat);
      const short = summary(chat);
      const index = this.list.findIndex((one) => one.id === chat.id);
      if (index === -1) this.list.unshift(short);
      // A list that says the same as before is not drawn anew.
      else if (JSON.stringify(this.list[index]) !== JSON.stringify(short)) this.list[index] = short;
      this.list.sort(byPlace);
      const write = Symbol(chat.id);
      unwritten.set(chat.id, chat);
      newest.set(chat.id, write);
      return this.keep(async () => {
        const added = await store.write(chat);
        if (newest.get(chat.id) === write) unwritten.delete(chat.id);
        adopt(chat, added);
        // Deleted while it was being written: what was written must go too.
        if (!this.isListed(chat.id)) await store.remove(chat.id);
        tell({ kind: "wrote", id: chat.id, isRunning: this.running[chat.id] !== undefined });
        await this.noteOpen();
      });
    },

    /** There is room again: write what could not be written. */
    async catchUp() {
      if (!this.isStorageFull) return;
      await this.keep(async () => {
        for (const [id, chat] of [...unwritten]) {
          if (this.isListed(id)) await store.write(chat);
          unwritten.delete(id);
        }
        await typed.catchUp();
        await this.noteOpen();
      });
    },

    async rename(id, title) {
      const text = title.trim().slice(0, 200);
      const chat = text === "" ? null : await this.load(id);
      if (chat === null) return;
      Object.assign(chat, { title: text, isRenamed: true });
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
      this.drop(id);
      const deleted = (this.deleted = await loading);
      unwritten.delete(id);
      await store.remove(id);
      // Order: removed first, which makes room for it where there was none.
      await this.keep(() => store.writeRemoved(deleted));
      tell({ kind: "removed", id });
      await this.catchUp();
    },

    async undelete() {
      const { deleted } = this;
      if (deleted === null) return;
      await Promise.all([this.save(deleted, { isTouched: false }), this.forget()]);
      this.show(deleted);
    },

    forget() {
      this.deleted = null;
      return store.writeRemoved(null);
    },

    /** Take over what another tab wrote, unless the chat is being answered in this one. */
    async refresh(id) {
      this.list = await store.list();
      const isShown = () => id === this.current.id && this.running[id] === undefined;
      const kept = isShown() ? await store.read(id) : null;
      if (kept !== null && isShown()) this.current = kept;
    },

    /** A chat was deleted, here or in another tab. */
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

    /** Return every chat whole: as it is here where it is, and in storage otherwise. */
    async all() {
      const living = [...Object.values(this.running), ...unwritten.values(), this.current].filter((chat) => this.isListed(chat.id));
      const byId = new Map([...(await store.all()), ...living].map((chat) => [chat.id, chat]));
      return [...byId.values()].sort(byPlace);
    },

    /** The page goes away: put down at once what is being answered, typed or written. */
    leave() {
      if (noting !== noted) this.keep(() => store.leaveOpen(noting));
      typed.leave((id, draft) => this.keep(() => store.leaveDraft(id, draft)));
      for (const chat of new Set([...Object.values(this.running), ...unwritten.values()])) {
        if (this.isListed(chat.id)) this.keep(() => store.leave(chat));
      }
    },

    /** Run a write; a full storage is shown, never thrown at who typed. */
    async keep(write) {
      try {
        await write();
        // One success does not mean that what failed before is written.
        if (unwritten.size === 0) this.isStorageFull = false;
      } catch (error) {
        if (!(error instanceof StorageFull)) throw error;
        this.isStorageFull = true;
      }
    },
  };
}
