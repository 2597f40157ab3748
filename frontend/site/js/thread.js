/**
 * The open chat: its messages, the box one writes in, send and stop.
 *
 * Knows: chats, answers, live facts. Knows nothing of: Alpine, HTTP, storage.
 */
import { add, drop, families, path, positionOf, show } from "./tree.js";

/** Return the component factory. `isTouch()` is whether Enter is the only way to a new line; `focusBox()` puts the cursor in the box. */
export function thread({ chats, answers, live, keys, attached, newId, now, words, isTouch, isNarrow, panels, watchScroll, focusBox }) {
  let sorted = { state: null, families: new Map() };
  return () => ({
    isAtEnd: true,
    scroll: null,
    /** The chat whose question is on its way, and waits for its files to be counted. */
    heldId: null,
    /** The question that is being changed, and what it says by now. */
    editedId: null,
    edited: "",

    init() {
      const isWanted = () => !this.isEmpty;
      this.scroll = watchScroll(this.$refs, isWanted, (isAtEnd) => {
        this.isAtEnd = isAtEnd;
      });
      this.$nextTick(() => this.arrive());
      this.$watch("chatId", () => {
        this.takeBack();
        this.editedId = null;
        this.$nextTick(() => this.arrive());
      });
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
    get hasQuestion() {
      return this.draft.trim() !== "" || attached.files.length > 0 || attached.unread > 0;
    },
    /** Whether the question is sent as soon as its files are counted. */
    get isHeld() {
      return this.heldId !== null && attached.isCounting;
    },
    get isOpenToSend() {
      return this.isIdle && !this.isHeld;
    },
    get canSend() {
      return this.isIdle && this.heldId === null && this.hasQuestion;
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

    /**
     * Send the draft with its files, once those are counted and fit; nothing happens when there is none or
     * an answer is being written.
     */
    async send() {
      if (!this.canSend) return;
      if (attached.isCounting || attached.files.length > 0) {
        // An object of its own, so that a question that was taken back and sent again goes once.
        const held = (this.heldId = Symbol(chats.current.id));
        const fits = await attached.fits();
        if (this.heldId !== held) return;
        this.heldId = null;
        if (!fits || !this.canSend) return;
      }
      this.ask(this.draft.trim(), chats.current.leaf, attached.hand());
    },
    /** Do not send what waits for its files; it stays in the box. */
    takeBack() {
      this.heldId = null;
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

    /** Change a question in its place. */
    startEdit(message) {
      this.edited = message.text;
      this.editedId = message.id;
    },
    endEdit() {
      this.editedId = null;
      this.focusDraft();
    },
    editLast() {
      const last = this.messages.findLast((message) => message.role === "user");
      if (last !== undefined && this.isIdle) this.startEdit(last);
    },

    stop() {
      answers.stop(chats.current);
      this.focusDraft();
    },

    /** Put the cursor into the box; on a touch screen that would raise the keyboard unasked. */
    focusDraft() {
      if (!isTouch()) focusBox();
    },

    toEnd() {
      this.scroll.toEnd();
    },

    /**
     * Enter sends, Shift+Enter breaks the line, the arrow up in an empty box changes the last question; an
     * input method's keys belong to it.
     */
    pressKey(event) {
      const isPlain = !event.shiftKey && !event.ctrlKey && !event.metaKey && !event.altKey && !event.isComposing;
      if (event.key === "ArrowUp" && isPlain && this.draft === "" && !this.hasQuestion && !this.isEmpty) {
        event.preventDefault();
        this.editLast();
        return;
      }
      if (event.key !== "Enter" || event.shiftKey || event.isComposing || event.keyCode === 229) return;
      if (isTouch() && !event.ctrlKey && !event.metaKey) return;
      event.preventDefault();
      this.send();
    },

    /** Escape anywhere takes a held question back or stops the answer, unless it closes a dialog. */
    pressEscape(event) {
      if (event.defaultPrevented || event.target?.closest?.("dialog, .rename")) return;
      if (this.heldId !== null) this.takeBack();
      else if (this.isAnswering) this.stop();
    },
  });
}
