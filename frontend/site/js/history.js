/**
 * Chats kept in this browser, one record each, versioned.
 *
 * Knows: key names, the record's version, what a damaged or foreign record is.
 * Knows nothing of: which chat is open, streams, the page.
 */

/** The version this page writes. A change of shape adds one and an entry in MIGRATIONS. */
export const VERSION = 1;

/** From a version to the next: `MIGRATIONS[1]` makes a version 2 record of a version 1 record. */
export const MIGRATIONS = {};

const CHAT = "paddock.chat.";
const DRAFT = "paddock.draft.";
const OPEN = "paddock.open";

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

/** Return the store over a Web Storage area. Records it cannot read are left alone, never deleted. */
export function history({ storage, version = VERSION, migrations = MIGRATIONS }) {
  function read(id) {
    const text = storage.getItem(CHAT + id);
    if (text === null) return null;
    try {
      const chat = migrate(JSON.parse(text), { version, migrations });
      return chat === null ? null : mend(chat);
    } catch (error) {
      if (error instanceof SyntaxError) return null;
      throw error;
    }
  }

  function keys(prefix) {
    const found = [];
    for (let index = 0; index < storage.length; index += 1) {
      const key = storage.key(index);
      if (key.startsWith(prefix)) found.push(key.slice(prefix.length));
    }
    return found;
  }

  function put(key, text) {
    try {
      storage.setItem(key, text);
    } catch (error) {
      throw new StorageFull("The browser's storage for this page is full.", { cause: error });
    }
  }

  return {
    read,
    /** Return every readable chat's summary, newest first. */
    list() {
      const chats = keys(CHAT).map(read).filter((chat) => chat !== null);
      return chats.map(summary).sort((one, other) => other.updated - one.updated);
    },
    write(chat) {
      put(CHAT + chat.id, JSON.stringify({ ...chat, version }));
    },
    remove(id) {
      storage.removeItem(CHAT + id);
      storage.removeItem(DRAFT + id);
    },
    readDraft: (id) => storage.getItem(DRAFT + id) ?? "",
    writeDraft(id, text) {
      if (text === "") storage.removeItem(DRAFT + id);
      else put(DRAFT + id, text);
    },
    readOpen: () => storage.getItem(OPEN),
    writeOpen: (id) => put(OPEN, id),
    /** Return the id of the chat a storage event is about, or null. */
    chatOf: (key) => (key?.startsWith(CHAT) ? key.slice(CHAT.length) : null),
  };
}

/** Return what the list shows of a chat. */
export function summary(chat) {
  return { id: chat.id, title: chat.title, updated: chat.updated };
}

/** Mark answers that were running when the page went away: nobody is writing them any more. */
function mend(chat) {
  for (const message of chat.messages) {
    if (message.state === "waiting" || message.state === "streaming") message.state = "interrupted";
  }
  return chat;
}

/** A Storage-shaped area in memory, for browsers that refuse theirs. */
export function memoryStorage() {
  const kept = new Map();
  return {
    get length() {
      return kept.size;
    },
    key: (index) => [...kept.keys()][index] ?? null,
    getItem: (key) => kept.get(key) ?? null,
    setItem: (key, text) => void kept.set(key, String(text)),
    removeItem: (key) => void kept.delete(key),
  };
}
