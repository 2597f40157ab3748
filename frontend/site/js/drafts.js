/**
 * What is typed and not sent, written down behind whoever types: one write at a time, the newest last.
 *
 * Knows: history's store. Knows nothing of: which chat is open, the document.
 */

/** Return the moves. A draft is {text, files, settings}, by chat. */
export function drafts({ store }) {
  const pending = new Map();
  let writing = null;

  async function writeAll() {
    // Order: a draft that changes while it is written stays pending; the loop comes to it again.
    for (const [id, draft] of pending) {
      await store.writeDraft(id, draft);
      if (pending.get(id) === draft) pending.delete(id);
      else pending.set(id, take(id));
    }
  }

  /** Take a draft out and give it back, so that it comes last. */
  function take(id) {
    const draft = pending.get(id);
    pending.delete(id);
    return draft;
  }

  return {
    /** Return the newest draft of a chat, written or not. */
    read: async (id) => pending.get(id) ?? store.readDraft(id),
    /** Keep a draft; resolves once it is written. Raises: StorageFull. */
    write(id, draft) {
      pending.set(id, draft);
      return this.catchUp();
    },
    /** Write what is pending, also what could not be written before. Raises: StorageFull. */
    catchUp() {
      writing ??= writeAll().finally(() => {
        writing = null;
      });
      // What came behind the last look of the write under way has its turn next.
      return writing.then(() => (pending.size > 0 ? this.catchUp() : undefined));
    },
    /** The page goes away: hand over what is pending. */
    leave(put) {
      for (const [id, draft] of pending) put(id, draft);
    },
  };
}
