/**
 * The browser's database for chats: whole records by id, a short form of each for the list, and notes:
 * what is typed and not sent, and which chat is open.
 *
 * Knows: IndexedDB. Knows nothing of: what a record says.
 */

const NAME = "paddock";
/** The layout of the stores; a record's own version is in the record. */
const LAYOUT = 2;
const RECORDS = "chats";
const SUMMARIES = "summaries";
const NOTES = "notes";

/** Open the database. Raises: whatever the browser refuses it with (private windows, broken profiles). */
export function openDatabase({ indexedDB }) {
  return new Promise((resolve, reject) => {
    const opening = indexedDB.open(NAME, LAYOUT);
    opening.onupgradeneeded = () => {
      const there = opening.result.objectStoreNames;
      for (const store of [RECORDS, SUMMARIES, NOTES]) {
        if (!there.contains(store)) opening.result.createObjectStore(store, { keyPath: "id" });
      }
    };
    opening.onsuccess = () => {
      // A newer page in another tab may change the layout: this one must not be in its way.
      opening.result.onversionchange = () => opening.result.close();
      resolve(database(opening.result));
    };
    opening.onerror = () => reject(opening.error);
  });
}

/**
 * Return the moves over an open database. Every move is one transaction.
 *
 * update(id, change): `change(old)` gets the stored record or undefined and returns {record, summary}, or
 * null to leave all as it is. Resolves once it is on disk.
 */
function database(db) {
  function run(mode, stores, work) {
    return new Promise((resolve, reject) => {
      // Strict: a browser that is killed must not take along what it said was written.
      const transaction = db.transaction(stores, mode, { durability: "strict" });
      let result;
      transaction.oncomplete = () => resolve(result);
      transaction.onabort = () => reject(transaction.error);
      work(transaction, (value) => (result = value));
    });
  }

  return {
    get: (id) =>
      run("readonly", RECORDS, (transaction, give) => {
        transaction.objectStore(RECORDS).get(id).onsuccess = ({ target }) => give(target.result);
      }),
    summaries: () =>
      run("readonly", SUMMARIES, (transaction, give) => {
        transaction.objectStore(SUMMARIES).getAll().onsuccess = ({ target }) => give(target.result);
      }),
    update: (id, change) =>
      run("readwrite", [RECORDS, SUMMARIES], (transaction) => {
        transaction.objectStore(RECORDS).get(id).onsuccess = ({ target }) => {
          const made = change(target.result);
          if (made !== null) {
            transaction.objectStore(RECORDS).put(made.record);
            transaction.objectStore(SUMMARIES).put(made.summary);
          }
          // A page that is being closed has no time for the automatic commit.
          transaction.commit?.();
        };
      }),
    note: (id) =>
      run("readonly", NOTES, (transaction, give) => {
        transaction.objectStore(NOTES).get(id).onsuccess = ({ target }) => give(target.result);
      }),
    putNote: (note) =>
      run("readwrite", NOTES, (transaction) => {
        transaction.objectStore(NOTES).put(note);
        transaction.commit?.();
      }),
    removeNote: (id) => run("readwrite", NOTES, (transaction) => void transaction.objectStore(NOTES).delete(id)),
    remove: (id) =>
      run("readwrite", [RECORDS, SUMMARIES], (transaction) => {
        for (const store of [RECORDS, SUMMARIES]) transaction.objectStore(store).delete(id);
      }),
    /** Show each record to `visit`, one after the other, until it returns false. */
    each: (visit) =>
      run("readonly", RECORDS, (transaction) => {
        transaction.objectStore(RECORDS).openCursor().onsuccess = ({ target }) => {
          if (target.result !== null && visit(target.result.value) !== false) target.result.continue();
        };
      }),
  };
}

/** The same moves in memory, for browsers that refuse their database. */
export function memoryDatabase() {
  const records = new Map();
  const shorts = new Map();
  const notes = new Map();
  return {
    note: async (id) => notes.get(id),
    putNote: async (note) => void notes.set(note.id, note),
    removeNote: async (id) => void notes.delete(id),
    // As a database does: what was read is the reader's own.
    get: async (id) => structuredClone(records.get(id)),
    summaries: async () => [...shorts.values()],
    async update(id, change) {
      const made = change(records.get(id));
      if (made === null) return;
      records.set(id, made.record);
      shorts.set(id, made.summary);
    },
    async remove(id) {
      records.delete(id);
      shorts.delete(id);
    },
    async each(visit) {
      for (const record of records.values()) if (visit(record) === false) return;
    },
  };
}
