/**
 * What is signed as EIP-712 typed data. Types and values are plain objects, as ethers and viem take them.
 */
import { type Hex, taggedHash, textBytes, textWord, wordBytes } from "./hash.ts";

/** The EIP-712 domain: signatures for one ledger on one chain say nothing on another. */
export function typedDataDomain(chainId: number, consentLedger: string) {
  return { name: "ExamKey", version: "1", chainId, verifyingContract: consentLedger as Hex } as const;
}

const ADDRESSED = [{ name: "patient", type: "address" }] as const;

const TERMS = [
  { name: "notBefore", type: "uint40" },
  { name: "notAfter", type: "uint40" },
  { name: "purposes", type: "uint32" },
  { name: "actions", type: "uint16" },
] as const;

/** The slot's nonce and the patient's epoch as they stand before the act, and when the signature dies. */
const ONCE = [
  { name: "nonce", type: "uint256" },
  { name: "epoch", type: "uint256" },
  { name: "deadline", type: "uint256" },
] as const;

const ONCE_EACH = [{ name: "nonces", type: "uint256[]" }, ONCE[1], ONCE[2]] as const;

/**
 * What a patient signs, one type for each act of `ConsentLedger`'s `…BySig`, as `contracts/libraries/TypedData.sol`
 * hashes it. Periods and deadlines in whole seconds since 1970-01-01 UTC; purposes and actions as masks (terms.ts).
 */
export const ACT_TYPES = {
  Grant: [
    ...ADDRESSED,
    { name: "resource", type: "bytes32" },
    { name: "grantee", type: "bytes32" },
    ...TERMS,
    ...ONCE,
  ],
  GrantBatch: [
    ...ADDRESSED,
    { name: "resources", type: "bytes32[]" },
    { name: "grantee", type: "bytes32" },
    ...TERMS,
    ...ONCE_EACH,
  ],
  Revoke: [
    ...ADDRESSED,
    { name: "resource", type: "bytes32" },
    { name: "grantee", type: "bytes32" },
    ...ONCE,
  ],
  RevokeBatch: [
    ...ADDRESSED,
    { name: "resources", type: "bytes32[]" },
    { name: "grantee", type: "bytes32" },
    ...ONCE_EACH,
  ],
  /** `nonce` is the patient's number of revocations; bound to no epoch, so that nobody who takes over an exam can hinder it. */
  RevokeAll: [...ADDRESSED, ONCE[0], ONCE[2]],
  NameGuardian: [
    ...ADDRESSED,
    { name: "guardian", type: "address" },
    { name: "until", type: "uint40" },
    ...ONCE,
  ],
  HandOver: [...ADDRESSED, { name: "examId", type: "bytes32" }, { name: "to", type: "address" }, ...ONCE],
  Accept: [...ADDRESSED, { name: "examId", type: "bytes32" }, ...ONCE],
} as const;

/** The name of an act that a patient signs. */
export type Act = keyof typeof ACT_TYPES;

/** The EIP-712 domain of `EmergencyAccess`. */
export function emergencyDomain(chainId: number, emergencyAccess: string) {
  return {
    name: "ExamKey EmergencyAccess",
    version: "1",
    chainId,
    verifyingContract: emergencyAccess as Hex,
  } as const;
}

/**
 * What a practitioner signs in an emergency: `badge` is the address that signs; `reader` is blinded (`blindedGrantee`) with a salt that is used this once,
 * `reason` a position in EMERGENCY_REASONS, `count` the number of emergencies that the exam has had.
 */
export const EMERGENCY_TYPES = {
  Emergency: [
    { name: "examId", type: "bytes32" },
    { name: "badge", type: "address" },
    { name: "reader", type: "bytes32" },
    { name: "reason", type: "uint8" },
    { name: "until", type: "uint40" },
    { name: "count", type: "uint64" },
  ],
} as const;

/** The custodian's word, signed by its operator, that a patient it identified owns an address. */
export const ENROLMENT_TYPES = {
  Enrolment: [
    { name: "patient", type: "address" },
    { name: "patientIdHash", type: "bytes32" },
    { name: "custodian", type: "address" },
    { name: "issuedAt", type: "uint64" },
  ],
} as const;

/** A value of the type `Enrolment`; `issuedAt` in whole seconds since 1970-01-01 UTC. */
export type Enrolment = { patient: Hex; patientIdHash: Hex; custodian: Hex; issuedAt: bigint };

/**
 * What the operator signs for receipts that were written together: the root over them, as receiptTree.ts grows it.
 * In the ledger's domain; `signedAt` in whole seconds since 1970-01-01 UTC.
 */
export const RECEIPTS_TYPES = {
  Receipts: [
    { name: "custodian", type: "address" },
    { name: "first", type: "uint64" },
    { name: "last", type: "uint64" },
    { name: "root", type: "bytes32" },
    { name: "signedAt", type: "uint64" },
  ],
} as const;

/** A value of the type `Receipts`. */
export type SignedReceipts = { custodian: Hex; first: bigint; last: bigint; root: Hex; signedAt: bigint };

/**
 * What stands for a patient id in an enrolment: `H(PATIENT_ID, salt, H(issuer), patientId)`.
 * @param issuer IssuerOfPatientID (0010,0021), empty where the archive gives none
 */
export function patientIdHash(salt: Hex, patientId: string, issuer: string): Hex {
  return taggedHash("PATIENT_ID", wordBytes(salt), textWord(issuer), textBytes(patientId));
}
