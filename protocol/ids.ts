/**
 * Ids of exams, series and grantees, and the salts that blind them.
 *
 * A DICOM UID can be guessed, so nothing on chain is computed from one without 32 random bytes that stay
 * off chain. Salts of series derive one-way from the exam's: whoever is given one learns nothing of its
 * siblings. Destroying the exam's salt erases what the chain knows of it.
 */
import { addressWord, type Hex, taggedHash, textBytes, toHex, wordBytes } from "./hash.ts";
import { checkUid } from "./uid.ts";

/** 32 bytes from the platform's cryptographic random source. */
export function newSalt(): Hex {
  return toHex(globalThis.crypto.getRandomValues(new Uint8Array(32)));
}

/** What a custodian publishes in place of a StudyInstanceUID: `H(STUDY, salt, studyInstanceUid)`. */
export function examCommitment(salt: Hex, studyInstanceUid: string): Hex {
  return taggedHash("STUDY", wordBytes(salt), textBytes(checkUid(studyInstanceUid)));
}

/** What an exam id is made of. `patient` is the owner at registration. */
export type ExamParts = { custodian: string; patient: string; commitment: Hex };

/** The id of an exam pointer, and the resource that a grant for the whole exam names: `H(EXAM, custodian, patient, commitment)`. */
export function examId({ custodian, patient, commitment }: ExamParts): Hex {
  return taggedHash("EXAM", addressWord(custodian), addressWord(patient), wordBytes(commitment));
}

/** The salt of one series, derived one-way from its exam's. */
export function seriesSalt(examSalt: Hex, seriesInstanceUid: string): Hex {
  return taggedHash("SERIES_SALT", wordBytes(examSalt), textBytes(checkUid(seriesInstanceUid)));
}

/** What stands for a SeriesInstanceUID: `H(SERIES_COMMITMENT, seriesSalt, seriesInstanceUid)`. */
export function seriesCommitment(salt: Hex, seriesInstanceUid: string): Hex {
  return taggedHash("SERIES_COMMITMENT", wordBytes(salt), textBytes(checkUid(seriesInstanceUid)));
}

/** The resource that a grant for one series names: `H(SERIES, examId, seriesCommitment)`. */
export function seriesResource(exam: Hex, commitment: Hex): Hex {
  return taggedHash("SERIES", wordBytes(exam), wordBytes(commitment));
}

/** The resource that covers all of a patient's exams at one custodian, later ones included: `H(EXAMS_AT, custodian)`. */
export function examsAtResource(custodian: string): Hex {
  return taggedHash("EXAMS_AT", addressWord(custodian));
}

/** The resource that covers all of a patient's exams, later ones and other custodians' included. */
export const ALL_EXAMS_RESOURCE: Hex = taggedHash("ALL_EXAMS");

/** Who a grant is for, as the ledger keeps it: the address, left-padded with zeros to 32 bytes. */
export function granteeOf(address: string): Hex {
  return toHex(addressWord(address));
}

/** The address that a grantee is made of, in lower case; null where the word is no left-padded address, as a blinded one. */
export function addressOfGrantee(grantee: string): Hex | null {
  const [, digits] = /^0x0{24}([0-9a-f]{40})$/i.exec(grantee) ?? [];
  return digits === undefined ? null : `0x${digits.toLowerCase()}`;
}

/**
 * Who a grant is for, where only who knows the salt shall see it: `H(GRANTEE, address, salt)`.
 * @param salt 32 random bytes, one for each patient and reader
 */
export function blindedGrantee(address: string, salt: Hex): Hex {
  return taggedHash("GRANTEE", addressWord(address), wordBytes(salt));
}

/** The leaf by which a batch of pointers commits one: `H(POINTER, examId, manifestRoot)`. The batch's tree is that of merkle.ts. */
export function pointerLeaf(exam: Hex, manifestRoot: Hex): Hex {
  return taggedHash("POINTER", wordBytes(exam), wordBytes(manifestRoot));
}
