/**
 * Files on their way into a question: read, counted by the engine, refused when they cannot fit.
 *
 * Knows: files of text, the gateway's count. Knows nothing of: the document, storage.
 */
import { contentOf } from "./request.js";

/** A file larger than this fits no context Llama 3 has (128 Ki tokens of at most some bytes each). */
const LIMIT_BYTES = 2_000_000;

/** Return the state and its moves; `chats` says what is open, `live` how large the context is. */
export function attach({ chats, live, countTokens, newId, words }) {
  return {
    files: [],
    /** Why the last file was not taken, in words. */
    refusal: "",

    get isCounting() {
      return this.files.some((file) => file.tokens === null);
    },

    /** Take files, one after the other. */
    async take(given) {
      this.refusal = "";
      for (const file of given) {
        const text = await textOf(file);
        if (text === null) this.refusal = words.notText(file.name);
        else if (file.size > LIMIT_BYTES) this.refusal = words.fileTooLarge(file.name);
        else await this.add({ id: newId(), name: file.name, text, tokens: null });
      }
    },

    async add(file) {
      this.files.push(file);
      let tokens = null;
      try {
        tokens = await countTokens(contentOf({ text: "", files: [file] }));
      } catch (error) {
        this.drop(file.id);
        this.refusal = words.notCounted(file.name, error.message);
        return;
      }
      const living = this.files.find((one) => one.id === file.id);
      if (living === undefined) return;
      living.tokens = tokens;
      const { contextWindow } = live.model ?? {};
      const others = this.used + this.files.filter((one) => one.id !== file.id).reduce((sum, one) => sum + (one.tokens ?? 0), 0);
      if (contextWindow && others + tokens >= contextWindow) {
        this.drop(file.id);
        this.refusal = words.overContext({ name: file.name, tokens, used: others, contextWindow });
      }
    },

    /** What the open chat takes of the context already, by the gateway's last count. */
    get used() {
      return chats.current.messages.findLast((message) => message.usage)?.usage.total_tokens ?? 0;
    },

    drop(id) {
      this.files = this.files.filter((file) => file.id !== id);
    },

    /** Give the files to a question and have none any more. */
    hand() {
      const files = this.files.map(({ name, text, tokens }) => ({ name, text, tokens }));
      this.files = [];
      this.refusal = "";
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
