/**
 * What people do with the consent ledger, and what they ask it, with plain names for everything:
 *
 * - a person: `ann`; where the ledger takes the zero address: `nobody`
 * - an exam: `clinic/ann/head`, after its custodian, the patient it was made for, and what it is of
 * - a resource: an exam; one of its series, `clinic/ann/head/1`; all of a patient's exams at one place, `clinic/*`; all, `*`
 * - a grantee: `rita`; or `rita#salt`, whom only who knows the salt recognises
 */
import type { LedgerReason } from "../../../protocol/reasons.ts";
import type { Terms as NamedTerms } from "../../../protocol/terms.ts";

/** Whole seconds since 1970-01-01 UTC. */
export type Seconds = number;

/** The zero address. */
export const NOBODY = "nobody";

/** Whose archive an exam is in. */
export const custodianOf = (exam: string): string => exam.split("/")[0] ?? "";

/** Whom an exam was made for. */
export const patientOf = (exam: string): string => exam.split("/")[1] ?? "";

/** Terms of a grant; with `unknownBits`, their word has more in it than its fields. */
export type Terms = NamedTerms & { unknownBits: boolean };

/** A batch is known by the exams that it commits, each with its manifest. */
export type Batch = { exam: string; manifest: string }[];

/** What is shown for an exam that is still only in a batch; `proven` is false for a proof that was tampered with. */
export type Membership = { batch: Batch; manifest: string; proven: boolean };

/** What custodians do, and `claim`, which anybody may. */
export type CustodianAct =
  | { name: "setOperator"; operator: string; named: boolean }
  | { name: "register"; exam: string; manifest: string }
  | { name: "registerBatch"; custodian: string; batch: Batch; count: number }
  | { name: "claim"; exam: string; membership: Membership }
  | { name: "amend"; exam: string; manifest: string }
  | { name: "retire"; patient: string; of: string };

/** What is done in a patient's name. */
export type PatientAct =
  | { name: "grant" | "grantBatch"; resources: string[]; grantee: string; terms: Terms }
  | { name: "revoke" | "revokeBatch"; resources: string[]; grantee: string }
  | { name: "revokeAll" }
  | { name: "nameGuardian"; guardian: string; until: Seconds }
  | { name: "handOver"; exam: string; to: string }
  | { name: "accept"; exam: string };

/** A signature over a patient's act: who made it, what it counts on, and when it is dead. */
export type Signed = { signer: string; nonces: number[]; epoch: number; deadline: Seconds };

/** One transaction: of a custodian, of somebody in a patient's name, or with a patient's signature. */
export type Step = { at: Seconds; sender: string } & (
  | { act: CustodianAct; patient?: undefined; signed?: undefined }
  | { act: PatientAct; patient: string; signed?: Signed }
);

/** What became of a step: done; nothing, since it stands already; or refused, with an error's name after `ConsentLedger`. */
export type Outcome = "done" | "stands already" | `refused: ${string}`;

/** What `check` is asked, and with a membership `checkUnclaimed`. `dirty` names an address of more than 160 bits. */
export type Query = {
  exam: string;
  series?: string;
  reader: string;
  salt?: string;
  purposes: Terms["purposes"];
  actions: Terms["actions"];
  time: Seconds;
  dirty?: "custodian" | "patient" | "reader";
  membership?: Membership;
};

/** What is answered. */
export type Decision = { reason: LedgerReason; validUntil: Seconds | "for ever" };
