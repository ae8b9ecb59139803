/** Storing (STOW-RS, PS3.18 section 10.5): the request's body, and what its answer says of each instance. */
import { type DicomDataset, itemsOf, numberOf, stringOf } from "./dicomJson.ts";

/** What the archive did with each instance of a store (PS3.18 section 10.5.3, PS3.3 section C.12). */
export interface StoreResult {
  stored: Array<{ sopInstanceUid: string }>;
  /** `code` is (0008,1197) Failure Reason; the UID is null where the archive could not even read it. */
  failed: Array<{ sopInstanceUid: string | null; code: number; reason: string }>;
}

/** The files as parts; `sent` counts them as they go. */
export async function* writeFiles(
  files: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
  boundary: string,
  sent: { files: number },
) {
  for await (const file of files) {
    sent.files += 1;
    yield Buffer.from(`--${boundary}\r\nContent-Type: application/dicom\r\n\r\n`, "latin1");
    yield file;
    yield Buffer.from("\r\n", "latin1");
  }
  yield Buffer.from(`--${boundary}--\r\n`, "latin1");
}

/** What became of the files, read from the answer. */
export function storeResult(result: DicomDataset, files: number): StoreResult {
  const stored = itemsOf(result, "ReferencedSOPSequence").map((item) => ({
    sopInstanceUid: stringOf(item, "ReferencedSOPInstanceUID") ?? "",
  }));
  const failed = itemsOf(result, "FailedSOPSequence").map((item) => {
    const code = numberOf(item, "FailureReason") ?? 0x0110;
    const sopInstanceUid = stringOf(item, "ReferencedSOPInstanceUID") || null;
    return { sopInstanceUid, code, reason: failureReason(code) };
  });
  // Orthanc says nothing at all of a file that it cannot parse.
  const silent = Math.max(0, files - stored.length - failed.length);
  const refused = { sopInstanceUid: null, code: 0xc000, reason: failureReason(0xc000) };
  return { stored, failed: [...failed, ...Array.from({ length: silent }, () => refused)] };
}

/** PS3.18 table I.2-2 and PS3.7 annex C, in plain words. */
function failureReason(code: number): string {
  if (code === 0x0106)
    return "it does not fit what the archive holds, such as another patient's study under its UID";
  if (code === 0x0110) return "the archive failed while storing it";
  if (code === 0x0111) return "the archive already holds another instance with this UID";
  if (code === 0x0122) return "the archive does not take this kind of object";
  if (code === 0x0124) return "the archive does not allow this";
  if (code >> 8 === 0xa7) return "the archive is out of space";
  if (code >> 8 === 0xa9) return "the object does not agree with its kind";
  if (code >> 12 === 0xc) return "the file cannot be understood as DICOM";
  return `the archive refused it with code ${code.toString(16).padStart(4, "0").toUpperCase()}H`;
}
