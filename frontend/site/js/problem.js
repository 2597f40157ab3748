/**
 * What went wrong with a chat, in the gateway's error envelope or our own words.
 *
 * Knows: the envelope and its codes. Knows nothing of: the page.
 */

/** A chat that could not be answered, or not to its end. */
export class Problem extends Error {
  constructor({ message, code, status = null, param = null, retryAfterSeconds = null, requestId = null }) {
    super(message);
    this.name = "Problem";
    this.code = code;
    this.status = status;
    this.param = param;
    this.retryAfterSeconds = retryAfterSeconds;
    this.requestId = requestId;
  }

  /** Read the envelope's inner object, whatever of it is there. */
  static fromEnvelope(error, { status = null, retryAfterSeconds = null } = {}) {
    const text = typeof error?.message === "string" && error.message !== "" ? error.message : null;
    return new Problem({
      message: text ?? (status === null ? "The answer broke off." : `The gateway answered with status ${status}.`),
      code: String(error?.code ?? error?.type ?? "unknown"),
      status,
      param: error?.param ?? null,
      retryAfterSeconds: positive(error?.retry_after_seconds) ?? retryAfterSeconds,
      requestId: error?.request_id ?? null,
    });
  }

  /** Read a refused HTTP response. Waits on its body. */
  static async fromResponse(response) {
    const header = positive(response.headers.get("retry-after"));
    let error = null;
    try {
      error = (await response.json()).error;
    } catch {
      // Not ours (a proxy's page, an empty body): the status is all there is to tell.
    }
    if (typeof error === "string") error = { message: error };
    return Problem.fromEnvelope(error, { status: response.status, retryAfterSeconds: header });
  }
}

function positive(value) {
  const number = Number(value ?? NaN);
  return Number.isFinite(number) && number > 0 ? number : null;
}
