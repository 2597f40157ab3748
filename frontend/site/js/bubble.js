/**
 * One message of the thread: its notes, its buttons, its alternatives.
 *
 * Reads `message` and the thread's moves from the scope around it.
 * Knows nothing of: how text becomes nodes, HTTP, storage.
 */

/** How long "Copied" stays on a button. */
const COPIED_SECONDS = 2;

/** Return the component factory. */
export function bubble({ live, words, copy, setTimeout }) {
  return () => ({
    isCopied: false,

    get isUser() {
      return this.message.role === "user";
    },
    get isAssistant() {
      return this.message.role === "assistant";
    },
    get isEditing() {
      return this.editedId === this.message.id;
    },
    get isShownAsText() {
      return this.isUser && !this.isEditing;
    },
    get bubbleClass() {
      return `message ${this.message.role} is-${this.message.state}`;
    },
    get isStreaming() {
      return this.message.state === "streaming";
    },
    get isWaiting() {
      return this.message.state === "waiting";
    },
    get isOver() {
      return !this.isWaiting && !this.isStreaming;
    },
    get hasFoot() {
      return this.isOver && !this.isEditing;
    },
    get hasText() {
      return this.message.text !== "";
    },
    get author() {
      return this.message.model ?? words.assistant;
    },

    /** What a waiting person reads: the place, or that it is their turn. */
    get waitTitle() {
      if (!this.isWaiting) return "";
      const progress = this.message.progress;
      if (!progress) return words.sending;
      if (progress.state === "running") return words.granted;
      if (progress.phase && progress.phase !== "ready") return words.notReady[progress.phase] ?? words.sending;
      return progress.place === null ? words.sending : words.place(progress.place, progress.backlog ?? 0);
    },
    get waitDetail() {
      // First, so that only who waits is drawn anew each second.
      if (!this.isWaiting) return "";
      const waited = (live.now - this.message.at) / 1000;
      const estimate = this.message.progress?.estimate ?? null;
      const { phase = null, readyIn = null } = this.message.progress ?? {};
      const start = readyIn !== null && phase !== "ready" ? words.readyIn(readyIn) : "";
      return [start, estimate === null ? "" : words.estimate(estimate), waited >= 1 ? words.waited(Math.floor(waited)) : ""]
        .filter(Boolean)
        .join(" · ");
    },

    get facts() {
      const { usage, timings } = this.message;
      return words.facts({ usage, timings, contextWindow: live.model?.contextWindow ?? null });
    },
    get hasFacts() {
      return this.isOver && this.facts !== "";
    },
    get note() {
      if (this.message.isLost) return words.reconnecting;
      if (this.message.state === "stopped" && this.message.isFreed) return this.hasText ? words.stoppedFree : words.stoppedEarlyFree;
      if (this.message.state === "stopped") return this.hasText ? words.stopped : words.stoppedEarly;
      if (this.message.state === "interrupted") return words.interrupted;
      if (this.message.state === "finished" && this.message.finish === "length") return words.cutShort;
      return "";
    },
    get hasNote() {
      return this.note !== "";
    },
    get isBroken() {
      return this.message.state === "failed" || this.message.state === "interrupted";
    },
    get hasProblem() {
      return Boolean(this.message.problem);
    },
    get problemText() {
      return this.message.problem ? words.problem(this.message.problem) : "";
    },
    get problemAdvice() {
      return this.hasProblem ? words.advice(this.message.problem.code) : "";
    },
    /** For whoever runs Paddock: the gateway's own words where ours are shown, and the request's name. */
    get problemRequest() {
      return this.message.problem ? words.problemDetail(this.message.problem) : "";
    },
    /** Seconds until a retry makes sense; an engine that is ready again makes it at once. */
    get retrySeconds() {
      const problem = this.message.problem;
      if (!problem?.retryAt || (problem.code === "engine_down" && live.phase === "ready")) return 0;
      return Math.max(0, Math.ceil((problem.retryAt - Math.max(live.now, problem.at)) / 1000));
    },
    get retryLabel() {
      return this.retrySeconds > 0 ? words.tryAgainIn(this.retrySeconds) : words.tryAgain;
    },
    get cannotRetry() {
      return this.isAnswering || this.retrySeconds > 0;
    },
    retry() {
      if (!this.cannotRetry) this.regenerate(this.message);
    },
    /** An answer at the end of the chat that is not whole can go on behind its last word. */
    get canContinue() {
      const { state, finish } = this.message;
      const isPart = state === "interrupted" || state === "stopped" || (state === "finished" && finish === "length");
      return this.isAssistant && isPart && this.hasText && this.isLatest(this.message);
    },
    get hasWays() {
      return this.canContinue || this.isBroken;
    },
    get retryClass() {
      return this.canContinue ? "primary second retry" : "primary retry";
    },
    continueAnswer() {
      if (this.isIdle) this.goOn(this.message);
    },
    get files() {
      return this.message.files ?? [];
    },
    get hasFiles() {
      return this.files.length > 0;
    },
    get fileNote() {
      return words.fileNote(this.file.name, this.file.tokens);
    },
    get hasSaid() {
      return this.isShownAsText && (this.hasText || !this.hasFiles);
    },
    get canAnswerAgain() {
      return this.isAssistant && !this.isBroken;
    },
    again() {
      this.regenerate(this.message);
    },

    get copyLabel() {
      return this.isCopied ? words.copied : words.copyCode;
    },
    async copyText() {
      this.isCopied = await copy(this.message.text);
      setTimeout(() => {
        this.isCopied = false;
      }, COPIED_SECONDS * 1000);
    },

    get alternatives() {
      return this.siblingsOf(this.message);
    },
    get at() {
      return this.alternatives.findIndex((one) => one.id === this.message.id);
    },
    get hasAlternatives() {
      return this.alternatives.length > 1 && this.isIdle;
    },
    get versionLabel() {
      return words.version(this.at + 1, this.alternatives.length);
    },
    get isFirst() {
      return this.at <= 0;
    },
    get isLast() {
      return this.at >= this.alternatives.length - 1;
    },
    showPrevious() {
      if (!this.isFirst) this.showMessage(this.alternatives[this.at - 1]);
    },
    showNext() {
      if (!this.isLast) this.showMessage(this.alternatives[this.at + 1]);
    },

    edit() {
      this.startEdit(this.message);
    },
    /** Whoever began the change, by key or button, goes on in its box, behind the last word. */
    focusEdited() {
      const box = this.$el;
      this.$nextTick(() => {
        box.focus();
        box.setSelectionRange(box.value.length, box.value.length);
      });
    },
    /** Ask the changed question beside the old one. */
    sendEdit() {
      const text = this.edited.trim();
      if (text === "" || this.isAnswering) return;
      this.endEdit();
      this.ask(text, this.message.parent, this.files);
    },
    pressEditKey(event) {
      if (event.key === "Escape") {
        event.preventDefault();
        this.endEdit();
      } else if (event.key === "Enter" && !event.shiftKey && !event.isComposing && event.keyCode !== 229) {
        event.preventDefault();
        this.sendEdit();
      }
    },
  });
}
