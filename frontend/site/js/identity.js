/**
 * Names for chats and messages that do not collide.
 *
 * Knows nothing of: what is named.
 */

/** Return a maker of random ids. `randomUUID` is missing on plain-http addresses, `getRandomValues` never is. */
export function identities({ crypto }) {
  return () => {
    if (typeof crypto.randomUUID === "function") return crypto.randomUUID();
    const bytes = crypto.getRandomValues(new Uint8Array(16));
    return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  };
}
