/**
 * Answers that say they are running: another tab writes them, or they were left behind.
 *
 * Knows: chats, answers, the other tabs. Knows nothing of: streams, storage.
 */

/** Return {attend, hear}; `ask(id)` asks the other tabs whether one of them answers the chat. */
export function attendant({ chats, answers, ask }) {
  return {
    /** Look after an unfinished answer: what no tab writes is taken up here. */
    async attend(id) {
      if (chats.running[id] !== undefined) return;
      chats.elsewhere[id] = true;
      if (await ask(id)) return;
      delete chats.elsewhere[id];
      await chats.refresh(id);
      const chat = await chats.load(id);
      if (chat !== null) answers.adopt(chat);
    },

    /** Hear another tab's news. */
    async hear({ kind, id, isRunning }) {
      if (kind === "removed") {
        if (chats.running[id] !== undefined) answers.stop(chats.running[id]);
        chats.drop(id);
        return;
      }
      await chats.refresh(id);
      if (isRunning && chats.running[id] === undefined) chats.elsewhere[id] = true;
      else delete chats.elsewhere[id];
    },
  };
}
