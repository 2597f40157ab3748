/**
 * Files on their way into a question: read, counted by the engine, refused when they cannot fit.
 *
 * They lie beside the draft of the open chat (chats.files) and are kept with it.
 *
 * Knows: files of text, the gateway's counts. Knows nothing of: the document, storage.
 */
import { contentOf, requestOf } from "./request.js";

/** A file larger than this fits no context Llama 3 has (128 Ki tokens of at most some bytes each). */
const LIMIT_BYTES = 2_000_000;

/** The whole question is counted again when one stops typing. */
const REST_SECONDS = 0.4;

/**
 * Return the state and its moves; `chats` says what is open, `live` how large the context is. `countText` and
 * `countChat` are the engine's own counts, of a text and of a chat as it would be sent.
 */
export function attach({ chats, live, countText, countChat, newId, words, setTimeout, clearTimeout }) {
  let timer = null;
  // The newest count: an older one that comes late says nothing.
  let counting = null;
  // Everything that reads or counts files, until the last of it has ended.
  let work = Promise.resolve();
  const track = (more) => {
    work = Promise.allSettled([work, more]);
    return more;
  };
  return {
    /** Why the last file was not taken, in words. */
    refusal: "",
    /** How many tokens chat, question and files have, as they would be sent; null while nobody knows. */
    total: null,
    /** How many files are still to be read. */
    unread: 0,

    get files() {
      return chats.files;
    },
    get isCounting() {
      return this.unread > 0 || this.files.some((file) => file.tokens === null);
    },

    /** Wait until every file that was given is counted or refused. */
    async settled() {
      for (let seen = null; seen !== work; ) {
        seen = work;
        await seen;
      }
    },

    /** Take files, one after the other. */
    take(given) {
      this.refusal = "";
      this.unread += given.length;
      return track(this.takeEach(given));
    },

    async takeEach(given) {
      for (const file of given) {
        const text = await textOf(file);
        this.unread -= 1;
        if (text === null) this.refusal = words.notText(file.name);
        else if (file.size > LIMIT_BYTES) this.refusal = words.fileTooLarge(file.name);
        else await this.add({ id: newId(), name: file.name, text, tokens: null });
      }
    },

    async add(file) {
      chats.files.push(file);
      await this.count(file);
      chats.jot();
    },

    /** Count a file, and what is asked with it; it goes when that does not fit. */
    async count(file) {
      const chat = chats.current.id;
      try {
        const tokens = await countText(contentOf({ text: "", files: [file] }));
        const total = await countChat(this.asked());
        const living = chats.current.id === chat ? this.files.find((one) => one.id === file.id) : undefined;
        if (living === undefined) return;
        living.tokens = tokens;
        this.total = total;
        const { contextWindow } = live.model ?? {};
        if (!contextWindow || total < contextWindow) return;
        this.drop(file.id);
        this.refusal = words.overContext({ name: file.name, tokens, used: Math.max(0, total - tokens), contextWindow });
      } catch (error) {
        this.drop(file.id);
        this.refusal = words.notCounted(file.name, error.message);
      }
    },

    /** Count what is left from an earlier page, or from before another chat was opened. */
    resume() {
      this.refusal = "";
      this.total = null;
      return track(this.countRest());
    },

    async countRest() {
      for (const file of this.files.filter((one) => one.tokens === null)) await this.count(file);
      if (this.total === null) await this.recount();
    },

    /** The chat as it would be sent now. */
    asked() {
      const { current, draft, files } = chats;
      const question = { id: "draft", parent: current.leaf, role: "user", text: draft.trim(), files };
      return requestOf({ ...current, messages: [...current.messages, question] }, question.id, live.model?.id ?? null);
    },

    /** The draft changed: its count is of the past, and made anew when one rests. */
    typed() {
      clearTimeout(timer);
      if (this.files.length > 0) timer = setTimeout(() => this.recount(), REST_SECONDS * 1000);
    },

    async recount() {
      const mine = Symbol("count");
      counting = mine;
      const total = this.files.length > 0 ? await countChat(this.asked()).catch(() => null) : null;
      if (counting === mine) this.total = total;
    },

    /**
     * Whether all that was given is there, and fits the context with chat and question by the engine's own
     * count. Waits on the counts under way.
     */
    async fits() {
      this.refusal = "";
      await this.settled();
      if (this.refusal !== "") return false;
      const contextWindow = live.model?.contextWindow ?? null;
      if (contextWindow === null) return true;
      await this.recount();
      if (this.total === null || this.total < contextWindow) return true;
      this.refusal = words.overContext({ name: null, tokens: this.total, used: 0, contextWindow });
      return false;
    },

    drop(id) {
      chats.files = chats.files.filter((file) => file.id !== id);
      chats.jot();
      this.recount();
    },

    /** Give the files to a question and have none any more. */
    hand() {
      const files = this.files.map(({ name, text, tokens }) => ({ name, text, tokens }));
      chats.files = [];
      this.refusal = "";
      this.total = null;
      clearTimeout(timer);
      counting = null;
      return files;
    },
  };
}

/** Return a file's text, or null when it is none: not UTF-8, or with the zero bytes of a binary. */
async function textOf(file) {
  if (file.size > LIMIT_BYTES) return "";
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(await file.arrayBuffer());
    return text.includes("\0") ? null : text;
  } catch {
    return null;
  }
}
