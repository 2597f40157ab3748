/**
 * Chats kept in this browser, one record each, versioned; what is typed and which chat is open.
 *
 * Knows: the record's version, what a damaged or foreign record is, the form of earlier pages.
 * Knows nothing of: which chat is on show, streams, the page.
 */

import { isRunning } from "./chat.js";
import { ahead, foreign, grown } from "./merge.js";
import { find, wordsOf } from "./search.js";

/** The version this page writes. A change of shape adds one and an entry in MIGRATIONS. */
export const VERSION = 2;

/** From a version to the next: `MIGRATIONS[1]` makes a version 2 record of a version 1 record. */
export const MIGRATIONS = {
  // Version 1 lay in local storage and knew no pins.
  1: (old) => ({ ...old, isPinned: false }),
};

/** Where version 1 kept its chats. */
const CHAT = "paddock.chat.";
/** Where earlier pages kept what was typed, and every page which chat was open when it went away. */
const DRAFT = "paddock.draft.";
const OPEN = "paddock.open";
/** Where a page that goes away puts down a draft with its files. */
const LEFT = "paddock.left.";
/** The note that names the open chat; the others are drafts, by chat. */
const OPEN_NOTE = "open";
const REMOVED_NOTE = "removed";
const draftNote = (id) => `draft ${id}`;

/** The browser has no room left for the record. */
export class StorageFull extends Error {}

/** Lift a record to `version`, or return null when it is newer than this page or no chat at all. */
export function migrate(record, { version = VERSION, migrations = MIGRATIONS } = {}) {
  let at = record;
  while (Number.isInteger(at?.version) && at.version < version) {
    const step = migrations[at.version];
    if (step === undefined) return null;
    at = { ...step(at), version: at.version + 1 };
  }
  return at?.version === version && typeof at.id === "string" && Array.isArray(at.messages) ? at : null;
}

/**
 * Return the store over a database (database.js) and a Web Storage area, which a page that goes away can
 * still write to. Records it cannot read are left alone, never deleted.
 * All is in the database: what Web Storage was told in its last seconds, a crash takes along.
 */
export function history({ database, storage, raw = (chat) => chat, version = VERSION, migrations = MIGRATIONS }) {
  const lift = (record) => migrate(record, { version, migrations });

  function keys(prefix) {
    const found = [];
    for (let index = 0; index < storage.length; index += 1) {
      const key = storage.key(index);
      if (key.startsWith(prefix)) found.push(key.slice(prefix.length));
    }
    return found;
  }

  /** Run a write to the database. Raises: StorageFull. */
  async function written(write) {
    try {
      return await write();
    } catch (error) {
      if (error?.name !== "QuotaExceededError") throw error;
      throw new StorageFull("The browser's storage for this page is full.", { cause: error });
    }
  }

  function put(key, text) {
    try {
      storage.setItem(key, text);
    } catch (error) {
      throw new StorageFull("The browser's storage for this page is full.", { cause: error });
    }
  }

  function parse(text) {
    try {
      return lift(JSON.parse(text));
    } catch (error) {
      if (error instanceof SyntaxError) return null;
      throw error;
    }
  }

  return {
    async read(id) {
      return lift(await database.get(id)) ?? null;
    },
    /** Return every readable chat's summary, in the order of the list. */
    async list() {
      return (await database.summaries()).filter((one) => one.version === version).sort(byPlace);
    },
    /**
     * Write a chat down, with what another tab added to it meanwhile, or knows better.
     *
     * Returns the messages of the other tab. Raises: StorageFull.
     */
    async write(chat) {
      const mine = JSON.parse(JSON.stringify(raw(chat))); // To look through what watches a long chat is dear.
      let added = [];
      await written(() =>
        database.update(chat.id, (old) => {
          if (old !== undefined && lift(old) === null) return null;
          const better = ahead(mine, old);
          const own = mine.messages.map((message) => better.get(message.id) ?? message);
          added = [...better.values(), ...foreign(mine, old)];
          const record = { ...mine, version, messages: [...own, ...added.slice(better.size)] };
          return { record, summary: { ...summary(record), version } };
        }),
      );
      return added;
    },
    async remove(id) {
      await database.removeNote(draftNote(id));
      await database.remove(id);
    },
    /** Keep a chat that was removed, the last one only, so that a reload can take it back; null lets it go. */
    async writeRemoved(chat) {
      if (chat === null) return database.removeNote(REMOVED_NOTE);
      const plain = JSON.parse(JSON.stringify(raw(chat)));
      return written(() => database.putNote({ id: REMOVED_NOTE, chat: { ...plain, version } }));
    },
    async readRemoved() {
      const chat = lift((await database.note(REMOVED_NOTE))?.chat) ?? null;
      // What was being answered has been stopped.
      for (const message of chat?.messages.filter(isRunning) ?? []) message.state = "interrupted";
      return chat;
    },
    /** Return the chats in which every word occurs, in titles or messages: where, by id. */
    async search(text) {
      const words = wordsOf(text);
      const found = new Map();
      await database.each((record) => {
        const chat = lift(record);
        const hit = chat === null ? null : find(chat, words);
        if (hit !== null) found.set(chat.id, hit);
      });
      return found;
    },
    /** Return every chat whole, for an export. */
    async all() {
      const chats = [];
      await database.each((record) => void chats.push(lift(record)));
      return chats.filter((chat) => chat !== null).sort(byPlace);
    },
    /**
     * Write a chat down before the page goes away: then only local storage is fast enough, and `adopt`
     * brings it over when the next page comes.
     */
    leave: (chat) => put(CHAT + chat.id, JSON.stringify({ ...chat, version })),
    /** Bring over what is in local storage, of earlier pages or by `leave`; it goes once it is in the database. */
    async adopt() {
      for (const id of keys(DRAFT)) {
        await written(() => database.putNote({ id: draftNote(id), ...blankDraft(), text: storage.getItem(DRAFT + id) }));
        storage.removeItem(DRAFT + id);
      }
      for (const id of keys(LEFT)) {
        await written(() => database.putNote({ ...readLeft(storage.getItem(LEFT + id)), id: draftNote(id) }));
        storage.removeItem(LEFT + id);
      }
      if (storage.getItem(OPEN) !== null) {
        await written(() => database.putNote({ id: OPEN_NOTE, chat: storage.getItem(OPEN) }));
        storage.removeItem(OPEN);
      }
      for (const id of keys(CHAT)) {
        const chat = parse(storage.getItem(CHAT + id));
        if (chat === null) continue;
        await written(() =>
          database.update(id, (old) => {
            const record = old === undefined ? chat : grown(old, chat);
            return { record, summary: { ...summary(record), version } };
          }),
        );
        storage.removeItem(CHAT + id);
      }
    },
    /** Return what is typed for a chat and not sent: {text, files, settings}. */
    async readDraft(id) {
      const { text, files, settings } = { ...blankDraft(), ...(await database.note(draftNote(id))) };
      return { text, files, settings };
    },
    /** Write it down; settings are those of a chat that is not in the list yet. Raises: StorageFull. */
    writeDraft(id, { text, files, settings }) {
      if (text === "" && files.length === 0 && settings === null) return database.removeNote(draftNote(id));
      const plain = JSON.parse(JSON.stringify({ text, files, settings }));
      return written(() => database.putNote({ id: draftNote(id), ...plain }));
    },
    leaveDraft: (id, draft) => put(LEFT + id, JSON.stringify(draft)),
    readOpen: async () => (await database.note(OPEN_NOTE))?.chat ?? null,
    writeOpen: (id) => written(() => database.putNote({ id: OPEN_NOTE, chat: id })),
    leaveOpen: (id) => put(OPEN, id),
  };
}

const blankDraft = () => ({ text: "", files: [], settings: null });

/** Read what `leaveDraft` wrote; what is no draft is an empty one. */
function readLeft(text) {
  try {
    const { text: typed, files, settings = null } = JSON.parse(text);
    if (typeof typed === "string" && Array.isArray(files)) return { text: typed, files, settings };
  } catch {
    // Cut off, or someone else's.
  }
  return blankDraft();
}

/** Return what the list shows of a chat. */
export function summary(chat) {
  return {
    id: chat.id,
    title: chat.title,
    updated: chat.updated,
    isPinned: chat.isPinned === true,
    isUnfinished: chat.messages.some(isRunning),
  };
}

/** The order of the list: pinned first, then the newest. */
export const byPlace = (one, other) =>
  Number(other.isPinned === true) - Number(one.isPinned === true) || other.updated - one.updated;
