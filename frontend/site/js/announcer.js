/**
 * A growing answer for people who listen: whole sentences, never single tokens.
 *
 * Knows: where a sentence ends. Knows nothing of: the live region it ends up in.
 */

/** A sentence ends at its mark and a space, a line at its break. */
const END = /[.!?…][)"'”’]*\s|\n/g;

/** Return {push, finish}; both take the whole text so far and `say` what is new of it. */
export function announcer({ say }) {
  let heard = 0;

  function speak(text) {
    const plain = text.replace(/```\w*/g, " ").replace(/[*_#`>|]+/g, "").replace(/\s+/g, " ").trim();
    if (plain !== "") say(plain);
  }

  return {
    start() {
      heard = 0;
    },
    push(text) {
      END.lastIndex = heard;
      let end = heard;
      for (let found = END.exec(text); found !== null; found = END.exec(text)) end = END.lastIndex;
      if (end === heard) return;
      speak(text.slice(heard, end));
      heard = end;
    },
    finish(text) {
      speak(text.slice(heard));
      heard = text.length;
    },
  };
}
