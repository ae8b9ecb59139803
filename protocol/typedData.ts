/**
 * What is signed as EIP-712 typed data. Types and values are plain objects, as ethers and viem take them.
 */
import { type Hex, taggedHash, textBytes, textWord, wordBytes } from "./hash.ts";

/** The EIP-712 domain: signatures for one ledger on one chain say nothing on another. */
export function typedDataDomain(chainId: number, consentLedger: string) {
  return { name: "ExamKey", version: "1", chainId, verifyingContract: consentLedger as Hex } as const;
}

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
 * What stands for a patient id in an enrolment: `H(PATIENT_ID, salt, H(issuer), patientId)`.
 * @param issuer IssuerOfPatientID (0010,0021), empty where the archive gives none
 */
export function patientIdHash(salt: Hex, patientId: string, issuer: string): Hex {
  return taggedHash("PATIENT_ID", wordBytes(salt), textWord(issuer), textBytes(patientId));
}
