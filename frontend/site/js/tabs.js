/**
 * The tabs of one browser talking to each other: who wrote which chat, who is answering it.
 *
 * Works on plain-http addresses too, where the browser's own locks are missing: a tab that finds an
 * unfinished answer asks whose it is and takes it up when nobody replies.
 *
 * Knows: the channel and its messages. Knows nothing of: chats' contents, streams.
 */

/** A living tab replies within a few milliseconds; a busy one gets this long. */
const REPLY_SECONDS = 0.4;

/**
 * Return {tell, ask}. `isMine(id)` is whether this tab answers that chat; `hear(message)` gets the others' news:
 * {kind: "wrote", id, isRunning} or {kind: "removed", id}.
 */
export function tabs({ BroadcastChannel, isMine, hear, setTimeout }) {
  if (BroadcastChannel === undefined) return { tell: () => {}, ask: async () => false };
  const channel = new BroadcastChannel("paddock");
  const asking = new Map();
  channel.onmessage = ({ data }) => {
    if (data.kind === "who") {
      if (isMine(data.id)) channel.postMessage({ kind: "mine", id: data.id });
    } else if (data.kind === "mine") {
      asking.get(data.id)?.(true);
    } else {
      hear(data);
    }
  };
  return {
    tell: (message) => channel.postMessage(message),
    /** Return whether another tab is answering the chat. */
    ask(id) {
      return new Promise((resolve) => {
        asking.set(id, resolve);
        channel.postMessage({ kind: "who", id });
        setTimeout(() => resolve(false), REPLY_SECONDS * 1000);
      }).finally(() => asking.delete(id));
    },
  };
}
