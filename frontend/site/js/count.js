/**
 * The engine's own counts of tokens.
 *
 * Knows: /tokenize and /chat_tokenize. Knows nothing of: what a text is for.
 */
import { Problem } from "./problem.js";

/** Return the calls, bound to one `fetch`; `headers()` gives what every request carries. Raises: Problem. */
export function counts({ fetch, headers = () => ({}) }) {
  async function post(address, body) {
    const response = await fetch(address, {
      method: "POST",
      headers: { "Content-Type": "application/json", ...headers() },
      body: JSON.stringify(body),
    });
    if (!response.ok) throw await Problem.fromResponse(response);
    return response.json();
  }

  return {
    /** Return how many tokens a text has. */
    async countText(text) {
      const tokens = await post("tokenize", { inputs: text, parameters: {} });
      // Of its own accord the tokenizer adds a token that stands for no text.
      return tokens.filter((token) => token.start !== token.stop).length;
    },
    /** Return how many tokens a chat has as it would be sent, headers and all. */
    async countChat({ model, messages }) {
      return (await post("chat_tokenize", { ...(model ? { model } : {}), messages })).tokenize_response.length;
    },
  };
}
