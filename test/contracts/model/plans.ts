/** Steps as they are drawn at random, before it is known when they happen and what the ledger has counted until then. */
import {
  type CustodianAct,
  NOBODY,
  type PatientAct,
  patientOf,
  type Seconds,
  type Signed,
  type Step,
} from "./acts.ts";
import type { LedgerModel } from "./ledger.ts";

/** Stands for whoever owns the exam of an act when it is done. */
export const OWNER = "owner";

/** Until when somebody is guardian is counted from the act. */
export type Plan = { after: Seconds; sender: string } & (
  | { act: CustodianAct }
  | { act: PatientAct; patient: string; signing?: Signing }
  /** What was signed before is sent once more: the last of it for 0, the one before for 1, and so on. */
  | { replay: number }
);

/**
 * How far a signature is off, by nothing for a good one: who makes it, a nonce or all, the epoch.
 * A signature depends on what it names alone, so one that names an old epoch stands for one that was long held back.
 */
export type Signing = {
  signer?: string;
  nonce: number;
  nonceOf: "all" | "first" | "last";
  tooManyNonces: boolean;
  epoch: number;
  validFor: Seconds;
};

/** The step that a plan comes to; none where nothing was signed that could be sent again. */
export function stepOf(
  plan: Plan,
  at: Seconds,
  model: LedgerModel,
  earlier: readonly Step[],
): Step | undefined {
  if ("replay" in plan) {
    const signed = earlier.filter((step) => step.signed).at(-1 - plan.replay);
    return signed && { ...signed, at, sender: plan.sender };
  }
  if (!("patient" in plan)) return { at, sender: plan.sender, act: plan.act };
  const named = (name: string) =>
    name === OWNER && "exam" in plan.act ? ownerOf(plan.act.exam, model) : name;
  const [sender, patient] = [named(plan.sender), named(plan.patient)];
  const act = plan.act.name === "nameGuardian" ? { ...plan.act, until: at + plan.act.until } : plan.act;
  const signed = plan.signing && signedOf(patient, act, at, plan.signing, model);
  return { at, sender, patient, act, signed };
}

/** Of an exam that is not registered: whom it was made for. */
function ownerOf(exam: string, model: LedgerModel): string {
  const { owner } = model.examOf(exam);
  return owner === NOBODY ? patientOf(exam) : owner;
}

function signedOf(patient: string, act: PatientAct, at: Seconds, off: Signing, model: LedgerModel): Signed {
  const current = model.noncesOf(patient, act);
  const isOff = (i: number) =>
    off.nonceOf === "all" || i === (off.nonceOf === "first" ? 0 : current.length - 1);
  const nonces = current.map((nonce, i) => (isOff(i) ? Math.max(0, nonce + off.nonce) : nonce));
  return {
    signer: off.signer ?? patient,
    nonces: off.tooManyNonces && act.name.endsWith("Batch") ? [...nonces, 0] : nonces,
    epoch: Math.max(0, model.epochOf(patient) + off.epoch),
    deadline: at + off.validFor,
  };
}
