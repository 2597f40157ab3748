/**
 * What stands in for a browser's storage where it refuses its own.
 *
 * Knows: the shape of Web Storage. Knows nothing of: what is kept.
 */

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
