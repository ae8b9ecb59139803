/** The gateway's running word on whether an exam may still be seen. */
import { type Problem, problemSchema } from "../../../protocol/api.ts";
import { ask, GatewayError, ownProblem } from "../../api/index.ts";

/** One event of a `text/event-stream` (HTML Standard, section 9.2.6). */
interface StreamEvent {
  event: string;
  data: string;
}

/**
 * Events of a stream as they arrive, and null for whatever else does (heartbeat comments).
 * Ends with the stream; throws what reading throws.
 */
export async function* eventsOf(body: ReadableStream<Uint8Array>): AsyncGenerator<StreamEvent | null> {
  let rest = "";
  let event = "";
  let data: string[] = [];
  for await (const text of body.pipeThrough(new TextDecoderStream() as TransformStream<Uint8Array, string>)) {
    yield null;
    const whole = rest + text;
    // A carriage return at the very end may be the first half of a line's end.
    const end = whole.endsWith("\r") ? whole.length - 1 : whole.length;
    const lines = whole.slice(0, end).split(/\r\n|\r|\n/);
    rest = (lines.pop() ?? "") + whole.slice(end);
    for (const line of lines) {
      if (line === "") {
        if (data.length > 0) yield { event: event || "message", data: data.join("\n") };
        event = "";
        data = [];
        continue;
      }
      const [field, value] = fieldOf(line);
      if (field === "event") event = value;
      if (field === "data") data.push(value);
    }
  }
}

function fieldOf(line: string): [field: string, value: string] {
  const colon = line.indexOf(":");
  if (colon < 0) return [line, ""];
  return [line.slice(0, colon), line.slice(colon + 1).replace(/^ /, "")];
}

/** What watching needs. Times are in milliseconds. */
export interface Watching {
  url: string;
  /** A token that lives; throws a {@link GatewayError} where the sign-in is over. */
  getToken: () => Promise<string>;
  onPermitted: () => void;
  signal: AbortSignal;
  /** How long silence is borne before nobody can say any more whether the exam may be seen. */
  patience?: number;
  pause?: number;
}

/** The gateway's heartbeat comes every two seconds: this allows for two that are lost. */
const PATIENCE_MS = 5_000;
const PAUSE_MS = 500;

/**
 * Holds the stream open, through a token that runs out and a connection that drops for a moment, until access ends.
 * @returns why it ended; null when `signal` aborted
 */
export async function watchAccess(watching: Watching): Promise<Problem | null> {
  const { signal, patience = PATIENCE_MS, pause = PAUSE_MS } = watching;
  let lastHeard = Date.now();
  const heard = () => {
    lastHeard = Date.now();
  };
  while (!signal.aborted) {
    const silence = silenceSignal(() => lastHeard + patience);
    try {
      const problem = await holdOnce(watching, AbortSignal.any([signal, silence.signal]), heard);
      if (problem && problem.reason !== "token-expired") return problem;
    } catch (error) {
      if (signal.aborted) return null;
      // Only the gateway's own word is final; whatever else went wrong may pass.
      if (error instanceof GatewayError && isFinal(error.problem)) return error.problem;
    } finally {
      silence.stop();
    }
    if (Date.now() - lastHeard >= patience) return ownProblem("gateway-unreachable");
    await new Promise((resolve) => setTimeout(resolve, pause));
  }
  return null;
}

/** One connection, until the gateway says that access has ended (its problem) or the stream merely ends (null). */
async function holdOnce(
  { url, getToken, onPermitted }: Watching,
  signal: AbortSignal,
  heard: () => void,
): Promise<Problem | null> {
  const response = await ask(url, { token: await getToken(), signal });
  if (!response.body) return null;
  for await (const message of eventsOf(response.body)) {
    heard();
    if (message?.event === "permitted") onPermitted();
    if (message?.event === "ended") return problemOfEvent(message.data);
  }
  return null;
}

function problemOfEvent(data: string): Problem {
  try {
    const parsed = problemSchema.safeParse(JSON.parse(data));
    if (parsed.success) return parsed.data;
  } catch {
    // Not JSON: told below like any other answer that makes no sense.
  }
  return ownProblem("answer-not-understood");
}

/** Refusals end the watch; an unreachable gateway, and a token that just ran out, are tried again. */
function isFinal({ reason }: Problem): boolean {
  return reason !== "gateway-unreachable" && reason !== "token-expired";
}

/** Aborts once nothing was heard until a deadline that moves on with whatever is heard. */
function silenceSignal(deadline: () => number): { signal: AbortSignal; stop: () => void } {
  const controller = new AbortController();
  const timer = setInterval(() => {
    if (Date.now() >= deadline()) controller.abort();
  }, 250);
  return { signal: controller.signal, stop: () => clearInterval(timer) };
}
