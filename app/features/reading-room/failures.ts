/** Why something could not be read, in words for the reader. */

export type FailureKind =
  /** The gateway refused: access or sign-in is not there any more. Nothing already loaded may stay. */
  "refused" | "missing" | "unavailable" | "undecodable" | "aborted";

/** Something that could not be read from the archive, or not be drawn. */
export class ReadFailure extends Error {
  readonly kind: FailureKind;
  /** HTTP status, 0 where no answer came. */
  readonly status: number;

  constructor(kind: FailureKind, message: string, status = 0) {
    super(message);
    this.name = "ReadFailure";
    this.kind = kind;
    this.status = status;
  }
}

/**
 * The failure that an HTTP answer stands for; the problem document's detail (RFC 9457) speaks where there is one.
 * @param body the answer's body: bytes, text, or JSON already parsed
 */
export function failureOf(status: number, body: unknown): ReadFailure {
  const detail = problemDetail(body);
  if (status === 401 || status === 403) {
    return new ReadFailure("refused", detail ?? "The gateway refused it.", status);
  }
  if (status === 404 || status === 410) {
    return new ReadFailure("missing", detail ?? "The archive does not have it.", status);
  }
  if (status === 0) return new ReadFailure("unavailable", "The gateway could not be reached.");
  return new ReadFailure("unavailable", detail ?? `The archive answered with an error (${status}).`, status);
}

function problemDetail(body: unknown): string | undefined {
  const problem = parsed(body);
  if (typeof problem !== "object" || problem === null || !("detail" in problem)) return undefined;
  return typeof problem.detail === "string" ? problem.detail : undefined;
}

function parsed(body: unknown): unknown {
  if (!(body instanceof ArrayBuffer) && typeof body !== "string") return body;
  try {
    return JSON.parse(typeof body === "string" ? body : new TextDecoder().decode(body));
  } catch {
    return undefined;
  }
}
