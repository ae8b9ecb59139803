/** Why a value cannot be what the protocol expects. */
export type ProtocolErrorCode =
  | "invalid-hex"
  | "invalid-address"
  | "invalid-uid"
  | "invalid-frame"
  | "invalid-period"
  | "no-purpose"
  | "unknown-purpose"
  | "no-action"
  | "unknown-action"
  | "invalid-terms-word"
  | "empty-tree"
  | "duplicate-leaf"
  | "unknown-leaf"
  | "invalid-envelope"
  | "invalid-receipt"
  | "wrong-root";

/** A value that the protocol refuses; `code` is for programs, `message` for people. */
export class ProtocolError extends Error {
  override readonly name = "ProtocolError";
  readonly code: ProtocolErrorCode;

  constructor(code: ProtocolErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}
