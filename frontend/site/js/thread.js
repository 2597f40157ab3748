/**
 * The open chat: its messages, the box one writes in, send and stop.
 *
 * Knows: chats, answers, live facts. Knows nothing of: Alpine, HTTP, storage.
 */
import { add, drop, families, path, positionOf, show } from "./tree.js";

/** Return the component factory. `isTouch()` is whether Enter is the only way to a new line. */
export function thread({ chats, answers, live, keys, attached, newId, now, words, isTouch, isNarrow, panels, watchScroll }) {
  let sorted = { state: null, families: new Map() };
  return () => ({
    isAtEnd: true,
    scroll: null,

    init() {
      const isWanted = () => !this.isEmpty;
      this.scroll = watchScroll(this.$refs, isWanted, (isAtEnd) => {
        this.isAtEnd = isAtEnd;
      });
      this.$nextTick(() => this.arrive());
      this.$watch("chatId", () => this.$nextTick(() => this.arrive()));
      this.$watch("isEngineReady", (isReady) => isReady && this.sendHeld("engine_down"));
      this.$watch("keyInUse", () => this.sendHeld("key_invalid"));
    },

    /** Come to a chat: at its end when something was said, at the top of the welcome otherwise. */
    arrive() {
      if (!this.isEmpty) this.scroll.toEnd();
      this.focusDraft();
      attached.resume();
    },

    get isEngineReady() {
      return live.isReached && live.phase === "ready";
    },
    get keyInUse() {
      return keys.key;
    },
    /** What failed only for want of an engine, or of a key, is asked again when there is one. */
    sendHeld(code = "engine_down") {
      const last = this.messages.at(-1);
      if (last?.problem?.code !== code) return;
      if (last.state === "failed") this.regenerate(last);
      else if (last.state === "interrupted" && last.stream) answers.resume(chats.current, last);
    },

    get chatId() {
      return chats.current.id;
    },
    get title() {
      return chats.current.title || words.untitled;
    },
    get messages() {
      return path(chats.current);
    },
    get isEmpty() {
      return chats.current.messages.length === 0;
    },
    /** Whether the list of chats lies over the chat. */
    get isCovered() {
      return panels.isShelfOpen && isNarrow();
    },
    get isAway() {
      return !this.isAtEnd && !this.isEmpty;
    },
    get draft() {
      return chats.draft;
    },
    set draft(text) {
      chats.type(text);
      attached.typed();
    },
    get isAnswering() {
      return answers.isRunning(chats.current.id);
    },
    get isIdle() {
      return !this.isAnswering;
    },
    get canSend() {
      return this.isIdle && !attached.isCounting && (this.draft.trim() !== "" || attached.files.length > 0);
    },
    get cannotSend() {
      return !this.canSend;
    },
    get starters() {
      return live.model?.isDemo ? words.demoStarters : words.starters;
    },
    get welcomeNote() {
      if (live.model === null) return words.noModel;
      return live.model.isDemo ? words.demoNote(live.model.id) : words.modelNote(live.model.id);
    },

    /** Send the draft with its files; nothing happens when there is none or an answer is being written. */
    async send() {
      if (!this.canSend) return;
      const text = this.draft.trim();
      if (attached.files.length > 0 && !((await attached.fits()) && this.canSend)) return;
      this.ask(text, chats.current.leaf, attached.hand());
    },

    sendStarter() {
      if (this.isIdle) this.ask(this.starter);
    },

    /** Add a question under `parent` (the end unless told) and have it answered. */
    ask(text, parent = chats.current.leaf, files = []) {
      const chat = chats.current;
      const kept = files.length > 0 ? { files } : {};
      const question = add(chat, { id: newId(), role: "user", text, ...kept, state: "finished", at: now() }, parent);
      // Order: the question is on its way to the disk before the draft leaves it.
      const answered = answers.start(chat, question.id);
      if (text === this.draft.trim()) chats.type("");
      this.scroll?.toEnd();
      return answered;
    },

    /** Answer the same question again, beside what is there; an answer without a word is no alternative. */
    regenerate(message) {
      if (this.isAnswering) return undefined;
      if (message.text === "") drop(chats.current, message);
      return answers.start(chats.current, message.parent);
    },

    /** Let an answer that is not whole go on. */
    goOn(message) {
      this.scroll?.toEnd();
      return answers.proceed(chats.current, message);
    },

    isLatest: (message) => chats.current.leaf === message.id,

    /**
     * The message's alternatives. Every message on show asks, so they are sorted once for each change of
     * the tree; a message never moves in it.
     */
    siblingsOf(message) {
      const { id, messages } = chats.current;
      const state = `${id} ${messages.length} ${messages.at(-1)?.id}`;
      if (state !== sorted.state) sorted = { state, families: families(chats.current) };
      return sorted.families.get(positionOf(message)) ?? [message];
    },

    showMessage(message) {
      show(chats.current, message);
      chats.save(chats.current, { isTouched: false });
    },

    stop() {
      answers.stop(chats.current);
      this.focusDraft();
    },

    focusDraft() {
      if (!isTouch()) this.$refs.draft?.focus();
    },

    toEnd() {
      this.scroll.toEnd();
    },

    /** Enter sends, Shift+Enter breaks the line; an input method's Enter belongs to it. */
    pressKey(event) {
      if (event.key !== "Enter" || event.shiftKey || event.isComposing || event.keyCode === 229) return;
      if (isTouch() && !event.ctrlKey && !event.metaKey) return;
      event.preventDefault();
      this.send();
    },

    /** Escape anywhere stops the answer, unless it closes a dialog. */
    pressEscape(event) {
      if (!this.isAnswering || event.defaultPrevented || event.target?.closest?.("dialog, .rename")) return;
      this.stop();
    },
  });
}
