/**
 * The log: JSON, one line each (pino). It says what happened, and never to whom: no name, UID, exam, address, token,
 * signature, salt, path or query string.
 *
 * Faults are told by name, code and place, since messages hold values: a failed query its parameters, a failed call its
 * data, a refused request its path. As a last resort, whatever still looks like an identifier is taken out of the line.
 */
import type { FastifyServerOptions } from "fastify";

/** Tokens (JWT), UIDs, hexadecimal from an address upwards, and query strings. */
const IDENTIFYING = [
  /\beyJ[\w-]+\.[\w-]*\.?[\w-]*/g,
  /\b\d+(?:\.\d+){4,}\b/g,
  /\b0x[0-9a-fA-F]{40,}\b/g,
  /\?[\w%.~-]+=[^\s"\\]*/g,
];

const FRAMES_SHOWN = 8;

/** What pino does with a line's arguments, as far as it matters here. */
type Log = (what: unknown, ...words: unknown[]) => void;

/** Fastify's `logger` option. */
export function logOptions(level: string): Exclude<FastifyServerOptions["logger"], boolean | undefined> {
  return {
    level,
    serializers: {
      err: describeFault,
      req: ({ method }) => ({ method }),
      res: ({ statusCode }) => ({ statusCode }),
    },
    hooks: { logMethod: withoutMessages, streamWrite: withoutIdentifiers },
  };
}

/** What a fault may be told by: never its message. */
export function describeFault(error: unknown): { type: string; message: string; stack: string } {
  const frames = error instanceof Error ? (error.stack?.match(/^\s+at .*$/gm) ?? []) : [];
  const stack = frames.slice(0, FRAMES_SHOWN).map((frame) => frame.trim());
  return {
    type: error instanceof Error ? error.name : typeof error,
    message: faultOf(error),
    stack: stack.join("\n"),
  };
}

/** A fault in a few words: its name, its code, and what it comes from. */
export function faultOf(error: unknown): string {
  if (!(error instanceof Error)) return typeof error;
  const told = [error.name, "code" in error && error.code, "reason" in error && error.reason];
  return `${told.filter(Boolean).join(" ")}${error.cause === undefined ? "" : `, from ${faultOf(error.cause)}`}`;
}

/** Where a line has no words of its own, pino takes the fault's message. */
function withoutMessages(this: unknown, inputs: Parameters<Log>, method: Log): void {
  const [what, words, ...more] = inputs;
  const fault = what instanceof Error ? what : (what as { err?: unknown } | null)?.err;
  const borrowed = fault instanceof Error && (words === undefined || words === fault.message);
  method.apply(this, borrowed ? [what, "fault"] : [what, words, ...more]);
}

function withoutIdentifiers(line: string): string {
  return IDENTIFYING.reduce((text, pattern) => text.replace(pattern, "…"), line);
}
