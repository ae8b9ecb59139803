import { ProtocolError } from "./errors.ts";

/**
 * Whether a text is a DICOM UID: digits in components parted by dots, 64 characters at most
 * (PS3.5, 9.1). Leading zeros in a component, though forbidden, occur in real archives and pass.
 */
export function isUid(text: string): boolean {
  return text.length <= 64 && /^\d+(\.\d+)*$/.test(text);
}

/** The UID itself, once checked. @throws {ProtocolError} `invalid-uid` */
export function checkUid(text: string): string {
  if (!isUid(text)) throw new ProtocolError("invalid-uid", `Not a DICOM UID: ${JSON.stringify(text)}`);
  return text;
}
