/**
 * One chat as a value: what an empty one holds, what it is called.
 *
 * Knows: a chat's fields. Knows nothing of: other chats, storage.
 */

/** A title is the first line of the first question, cut to what the list can show. */
const TITLE_CHARACTERS = 60;

/** Return an empty chat with the model's own defaults. `now` is wall time in milliseconds, for ordering only. */
export function blank({ newId, now }) {
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

/** Return what is to be kept of a chat beside its messages; settings only where there are none yet. */
export function draftOf({ current, draft, files }) {
  const { messages, settings } = current;
  return { text: draft, files, settings: messages.length === 0 && isSet(settings) ? settings : null };
}

/** Whether settings differ from an empty chat's. */
const isSet = ({ system, ...sampling }) => system !== "" || Object.values(sampling).some((value) => value !== null);

/** Return what a chat that nobody named is called. */
export function titleOf(chat) {
  const first = chat.messages.find((message) => message.role === "user");
  const line = (first?.text.trim() || (first?.files?.[0]?.name ?? "")).split("\n", 1)[0];
  return line.length > TITLE_CHARACTERS ? `${line.slice(0, TITLE_CHARACTERS - 1).trimEnd()}…` : line;
}

const RUNNING = new Set(["waiting", "streaming"]);

/** Whether a message is an answer that someone writes, or wrote when the page went away. */
export const isRunning = (message) => RUNNING.has(message.state);
