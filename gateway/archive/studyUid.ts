/** Which study a DICOM file belongs to. */
import dicomParser from "dicom-parser";

/** The StudyInstanceUID of a file (PS3.10) in memory; null where it cannot be read. */
export function studyUidOf(file: Uint8Array): string | null {
  try {
    const studyInstanceUid = "x0020000d";
    return dicomParser.parseDicom(file, { untilTag: studyInstanceUid }).string(studyInstanceUid) ?? null;
  } catch {
    return null;
  }
}
