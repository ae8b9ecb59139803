/**
 * Asks again where a connection broke before anything of an answer came: the archive may close a kept one that is idle in the
 * moment that it is used again, and on a busy machine that is often. Which of them was kept is not known here. RFC 9112
 * section 9.3.1 lets a client do so for what is idempotent. What the archive answered is never asked for twice, nor is one
 * that does not answer in time.
 */
import type { IncomingHttpHeaders } from "node:http";
import type { Dispatcher } from "undici";

/** How often it is asked, at most: several kept connections may have been closed at once. */
const MOST_TIMES = 4;

/** Codes of a connection that the other side has ended. */
const CLOSED = new Set(["UND_ERR_SOCKET", "ECONNRESET", "EPIPE"]);

/** For `Dispatcher.compose` of undici. */
export function askAgain(dispatch: Dispatcher["dispatch"]): Dispatcher["dispatch"] {
  return (options, handler) =>
    dispatch(options, options.method === "GET" ? new Asking(dispatch, options, handler) : handler);
}

/** One request, on one connection after the other until an answer begins. */
class Asking implements Dispatcher.DispatchHandler {
  readonly #dispatch: Dispatcher["dispatch"];
  readonly #options: Dispatcher.DispatchOptions;
  readonly #handler: Dispatcher.DispatchHandler;
  #times = 1;
  #isAnswered = false;

  constructor(
    dispatch: Dispatcher["dispatch"],
    options: Dispatcher.DispatchOptions,
    handler: Dispatcher.DispatchHandler,
  ) {
    this.#dispatch = dispatch;
    this.#options = options;
    this.#handler = handler;
  }

  /** Told anew of each connection: who has given up meanwhile aborts it there. */
  onRequestStart(controller: Dispatcher.DispatchController, context: unknown): void {
    this.#handler.onRequestStart?.(controller, context);
  }

  onResponseStart(
    controller: Dispatcher.DispatchController,
    status: number,
    headers: IncomingHttpHeaders,
    statusText?: string,
  ): void {
    this.#isAnswered = true;
    this.#handler.onResponseStart?.(controller, status, headers, statusText);
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#handler.onResponseData?.(controller, chunk);
  }

  onResponseEnd(controller: Dispatcher.DispatchController, trailers: IncomingHttpHeaders): void {
    this.#handler.onResponseEnd?.(controller, trailers);
  }

  onResponseError(controller: Dispatcher.DispatchController, error: Error): void {
    const mayAsk = !this.#isAnswered && !controller?.aborted && this.#times < MOST_TIMES && isClosed(error);
    if (!mayAsk) {
      this.#handler.onResponseError?.(controller, error);
      return;
    }
    this.#times += 1;
    // In a turn of its own, by which the pool knows of the others that were closed.
    setImmediate(() => this.#dispatch(this.#options, this));
  }
}

function isClosed(error: Error): boolean {
  return "code" in error && typeof error.code === "string" && CLOSED.has(error.code);
}
