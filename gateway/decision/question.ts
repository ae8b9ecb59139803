/** What the ledger is asked, and what it answers. */
import { ZeroAddress, ZeroHash, zeroPadValue } from "ethers";
import type { Hex } from "../../protocol/hash.ts";
import { ALL_EXAMS_RESOURCE, blindedGrantee, examsAtResource, granteeOf } from "../../protocol/ids.ts";
import { LEDGER_REASONS, type LedgerReason } from "../../protocol/reasons.ts";
import { type Action, actionsToMask, LATEST, type Purpose, purposesToMask } from "../../protocol/terms.ts";
import { emergencyInterface, ledgerInterface } from "../chain/logs.ts";

/** An exam as the ledger identifies it, by the patient whom it was registered for. */
export type ExamPointer = { examId: Hex; custodian: Hex; patient: Hex; commitment: Hex };

/** A series of an exam, as the ledger identifies it. */
export type SeriesPointer = { resource: Hex; commitment: Hex };

/** A name that a reader is granted under: their address, or one that a salt blinds. */
export type ReaderName = { grantee: Hex; salt: Hex | null };

/** A reader's name as the ledger keeps it. @param salt null for the address itself */
export function readerName(reader: Hex, salt: Hex | null): ReaderName {
  return { grantee: salt === null ? granteeOf(reader) : blindedGrantee(reader, salt), salt };
}

/** May this reader act for this purpose on this exam, or on this series of it? */
export type Question = {
  exam: ExamPointer;
  /** Null for the exam as a whole. */
  series: SeriesPointer | null;
  reader: Hex;
  /** The one name that is asked about. */
  name: ReaderName;
  purpose: Purpose;
  action: Action;
};

/** Resources that cover every exam of a patient's at a custodian, later ones included. */
export function wideResources(custodian: Hex): Hex[] {
  return [examsAtResource(custodian), ALL_EXAMS_RESOURCE];
}

/** Whatever covers what is asked for: the slots that the ledger judges, from the narrowest to the widest. */
export function coveringResources({ exam, series }: Pick<Question, "exam" | "series">): Hex[] {
  return [...(series ? [series.resource] : []), exam.examId, ...wideResources(exam.custodian)];
}

/** The ledger's answer. */
export type Answer = {
  reason: LedgerReason;
  /** With `permitted`: the second at which it ends by itself. */
  validUntil: number;
};

/** Call data of `ConsentLedger.check`. @param at seconds since 1970-01-01 UTC */
export function encodeCheck(question: Question, at: number): string {
  const { exam, series, reader, name, purpose, action } = question;
  return ledgerInterface.encodeFunctionData("check", [
    [
      zeroPadValue(exam.custodian, 32),
      zeroPadValue(exam.patient, 32),
      exam.commitment,
      series?.commitment ?? ZeroHash,
      zeroPadValue(reader, 32),
      name.salt ?? ZeroHash,
      purposesToMask([purpose]),
      actionsToMask([action]),
      at,
    ],
  ]);
}

/** The result of `ConsentLedger.check`. */
export function decodeCheck(data: string): Answer {
  const [position, validUntil] = ledgerInterface.decodeFunctionResult("check", data) as unknown as [
    bigint,
    bigint,
  ];
  const reason = LEDGER_REASONS[Number(position)];
  if (!reason) throw new Error(`The ledger answered with an unknown reason ${position}.`);
  return { reason, validUntil: Number(validUntil > BigInt(LATEST) ? LATEST : validUntil) };
}

/** Who acts for whom. */
export type Guardianship = { patient: Hex; guardian: Hex };

/** Call data of `ConsentLedger.isGuardian`: at a block, by its own time. */
export function encodeIsGuardian({ patient, guardian }: Guardianship): string {
  return ledgerInterface.encodeFunctionData("isGuardian", [patient, guardian]);
}

/** The result of `ConsentLedger.isGuardian`. */
export function decodeIsGuardian(data: string): boolean {
  const [isGuardian] = ledgerInterface.decodeFunctionResult("isGuardian", data) as unknown as [boolean];
  return isGuardian;
}

/** Call data of `ConsentLedger.guardianOf`. */
export function encodeGuardianOf({ patient, guardian }: Guardianship): string {
  return ledgerInterface.encodeFunctionData("guardianOf", [patient, guardian]);
}

/** The end in the result of `ConsentLedger.guardianOf`: the first second at which they no longer are one. */
export function decodeGuardianUntil(data: string): number {
  const [{ until }] = ledgerInterface.decodeFunctionResult("guardianOf", data) as unknown as [
    { until: bigint },
  ];
  return Number(until);
}

/** Call data of `ConsentLedger.pointerOf`. */
export function encodePointerOf(examId: Hex): string {
  return ledgerInterface.encodeFunctionData("pointerOf", [examId]);
}

/** The owner in the result of `ConsentLedger.pointerOf`; null where the id was never stored. */
export function decodeOwner(data: string): Hex | null {
  const [{ owner }] = ledgerInterface.decodeFunctionResult("pointerOf", data) as unknown as [
    { owner: string },
  ];
  return owner === ZeroAddress ? null : (owner.toLowerCase() as Hex);
}

/** One reader's emergency on an exam, by the name that it was opened under. */
export type EmergencyQuestion = { examId: Hex; reader: Hex };

/** Call data of `EmergencyAccess.isOpen`. @param at seconds since 1970-01-01 UTC */
export function encodeIsOpen({ examId, reader }: EmergencyQuestion, at: number): string {
  return emergencyInterface.encodeFunctionData("isOpen", [examId, reader, at]);
}

/** The result of `EmergencyAccess.isOpen`: of a block before the contract was there, nothing is open. */
export function decodeIsOpen(data: string): boolean {
  if (data === "0x") return false;
  const [isOpen] = emergencyInterface.decodeFunctionResult("isOpen", data) as unknown as [boolean];
  return isOpen;
}
