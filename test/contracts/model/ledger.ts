/**
 * The consent ledger in plain words: who may do what, and what is kept of it. Who may then read is in ./decision.ts.
 *
 * Both are written from the text of `IConsentLedger`, to be read beside it, and ../differential.test.ts compares the
 * contract with them. Where several refusals apply at once, the text names no order; the order here is the contract's.
 */
import { isDeepStrictEqual } from "node:util";
import {
  type CustodianAct,
  custodianOf,
  type Membership,
  NOBODY,
  type Outcome,
  type PatientAct,
  patientOf,
  type Seconds,
  type Signed,
  type Step,
  type Terms,
} from "./acts.ts";

type Exam = { owner: string; ownedSince: Seconds; manifests: string[]; retired: boolean };

/** What was written at one time: terms, until when somebody is guardian, whom an exam is offered to; or an end of it. */
type Written = { at: Seconds; terms?: Terms; until?: Seconds; to?: string };

class Refusal extends Error {}

export class LedgerModel {
  readonly #operators = new Map<string, boolean>();
  readonly #batches = new Set<string>();
  readonly #exams = new Map<string, Exam>();
  /** Everything ever written to each slot: the last counts, and how many there are is the slot's nonce. */
  readonly #slots = new Map<string, Written[]>();
  /** Whom an exam left, once for each time. */
  readonly #departures: string[] = [];
  #now: Seconds = 0;

  /** Does what a step says, or refuses it and does nothing. */
  take({ at, sender, act, patient, signed }: Step): Outcome {
    this.#now = at;
    try {
      if (patient === undefined) this.#custodianDoes(sender, act);
      else if (signed && this.#standsAlready(patient, act, signed)) return "stands already";
      else {
        refuse("NotGuardian", !signed && sender !== patient && !this.isGuardian(patient, sender));
        this.#patientDoes(patient, act);
      }
      return "done";
    } catch (error) {
      if (error instanceof Refusal) return `refused: ${error.message}`;
      throw error;
    }
  }

  #custodianDoes(sender: string, act: CustodianAct): void {
    const custodian = "custodian" in act ? act.custodian : "exam" in act ? custodianOf(act.exam) : sender;
    const isOperator = sender === custodian || this.#operators.get(`${custodian} ${sender}`) === true;
    refuse("NotOperator", act.name !== "claim" && !isOperator);
    if (act.name === "setOperator") this.#operators.set(`${sender} ${act.operator}`, act.named);
    if (act.name === "register") this.#store(act.exam, act.manifest);
    if (act.name === "amend") this.#live(act.exam).manifests.push(act.manifest);
    if (act.name === "registerBatch") {
      refuse("EmptyBatch", act.count === 0);
      refuse("BatchRegistered", this.#batches.has(batchName(custodian, act.batch)));
      this.#batches.add(batchName(custodian, act.batch));
    }
    if (act.name === "claim") {
      refuse("NotInBatch", !this.isInBatch(act.exam, act.membership));
      this.#store(act.exam, act.membership.manifest);
    }
    if (act.name === "retire") {
      const exam = this.examOf(`${sender}/${act.patient}/${act.of}`);
      refuse("ExamRetired", exam.retired);
      exam.retired = true;
    }
  }

  #patientDoes(patient: string, act: PatientAct): void {
    const slots = this.#slotsOf(patient, act);
    if ("terms" in act) requireGrantable(act.grantee, act.terms);
    refuse("EmptyBatch", slots.length === 0);
    refuse("ZeroGuardian", act.name === "nameGuardian" && act.guardian === NOBODY);
    refuse("NotOwner", act.name === "handOver" && this.#live(act.exam).owner !== patient);
    if (act.name === "accept") {
      const exam = this.#live(act.exam);
      const offer = slots[0]?.at(-1) ?? { at: 0 };
      refuse("NotOffered", offer.to !== patient || offer.at <= this.revokedAllAt(exam.owner));
      this.#departures.push(exam.owner);
      exam.owner = patient;
      exam.ownedSince = this.#now;
    }
    for (const slot of slots) slot.push({ at: this.#now, ...contentOf(act) });
  }

  /** Whether what was signed is what its slots were last written with, whoever did it, so that there is nothing to do. */
  #standsAlready(patient: string, act: PatientAct, { signer, nonces, epoch, deadline }: Signed): boolean {
    refuse("EpochPassed", act.name !== "revokeAll" && epoch !== this.epochOf(patient));
    refuse("SignatureExpired", this.#now >= deadline);
    refuse("InvalidSignature", signer !== patient);
    const slots = this.#slotsOf(patient, act);
    refuse("NonceCount", nonces.length !== slots.length);
    if (slots.every((slot, i) => nonces[i] === slot.length)) return false;
    const isLast = slots.every(
      (slot, i) => nonces[i] === slot.length - 1 && this.#stands(patient, act, slot),
    );
    refuse("NonceMismatch", !isLast);
    return true;
  }

  /**
   * What a revokeAll has ended stands no longer; what was revoked does. A revokeAll itself stands for its second, while
   * nothing can have been granted since; an offer, only as its owner's.
   */
  #stands(patient: string, act: PatientAct, slot: Written[]): boolean {
    if (act.name === "accept") return this.examOf(act.exam).owner === patient;
    const { at, ...content } = slot.at(-1) ?? { at: 0 };
    if (act.name === "revokeAll") return at === this.#now;
    if (act.name === "handOver" && this.examOf(act.exam).owner !== patient) return false;
    const isAlive = act.name.startsWith("revoke") || at > this.revokedAllAt(patient);
    return isAlive && isDeepStrictEqual(content, contentOf(act));
  }

  isGuardian(patient: string, guardian: string): boolean {
    const { at, until = 0 } = this.#slot(`guardian ${patient} ${guardian}`).at(-1) ?? { at: 0 };
    return until > this.#now && at > this.revokedAllAt(patient);
  }

  /** What is kept of an exam; of nobody where it is not registered. */
  examOf(exam: string): Exam {
    const kept = this.#exams.get(exam) ?? { owner: NOBODY, ownedSince: 0, manifests: [], retired: false };
    this.#exams.set(exam, kept);
    return kept;
  }

  /** The epoch that the patient's next signature must name. */
  epochOf(patient: string): number {
    const departures = this.#departures.filter((from) => from === patient);
    return this.#slot(`revokeAll ${patient}`).length + departures.length;
  }

  /** The nonces that a signature over this act must name. */
  noncesOf(patient: string, act: PatientAct): number[] {
    return this.#slotsOf(patient, act).map((slot) => slot.length);
  }

  /** What was last written for a patient, a resource and a grantee; undefined if nothing ever was. */
  lastOf(patient: string, resource: string, grantee: string): Written | undefined {
    return this.#slot(grantSlot(patient, resource, grantee)).at(-1);
  }

  /** When a patient last revoked all; 0 for never. */
  revokedAllAt(patient: string): Seconds {
    return this.#slot(`revokeAll ${patient}`).at(-1)?.at ?? 0;
  }

  /** Whether the custodian of an exam registered a batch, and it is proven to hold the exam with this manifest. */
  isInBatch(exam: string, { batch, manifest, proven }: Membership): boolean {
    const isListed = batch.some((leaf) => leaf.exam === exam && leaf.manifest === manifest);
    return proven && isListed && this.#batches.has(batchName(custodianOf(exam), batch));
  }

  /** The slots that an act writes. */
  #slotsOf(patient: string, act: PatientAct): Written[][] {
    if (act.name === "revokeAll") return [this.#slot(`revokeAll ${patient}`)];
    if (act.name === "nameGuardian") return [this.#slot(`guardian ${patient} ${act.guardian}`)];
    if ("exam" in act) return [this.#slot(`offer ${act.exam}`)];
    return act.resources.map((resource) => this.#slot(grantSlot(patient, resource, act.grantee)));
  }

  #slot(name: string): Written[] {
    const slot = this.#slots.get(name) ?? [];
    this.#slots.set(name, slot);
    return slot;
  }

  #store(id: string, manifest: string): void {
    refuse("ZeroPatient", patientOf(id) === NOBODY);
    const exam = this.examOf(id);
    refuse("ExamRetired", exam.retired);
    refuse("ExamRegistered", exam.owner !== NOBODY);
    exam.owner = patientOf(id);
    exam.manifests.push(manifest);
  }

  #live(id: string): Exam {
    const exam = this.examOf(id);
    refuse("ExamRetired", exam.retired);
    refuse("ExamUnknown", exam.owner === NOBODY);
    return exam;
  }
}

const grantSlot = (...names: string[]) => `grant ${names.join(" ")}`;
const batchName = (custodian: string, batch: Membership["batch"]) => `${custodian} ${JSON.stringify(batch)}`;

/** What an act writes to its slots. What is signed, and kept, has no room for unknown bits. */
function contentOf(act: PatientAct): Omit<Written, "at"> {
  if ("terms" in act) return { terms: { ...act.terms, unknownBits: false } };
  if (act.name === "nameGuardian") return { until: act.until };
  return act.name === "handOver" ? { to: act.to } : {};
}

function requireGrantable(grantee: string, terms: Terms): void {
  refuse("ZeroGrantee", grantee === NOBODY);
  refuse("UnknownTerms", terms.unknownBits);
  refuse("EmptyPeriod", terms.notAfter <= terms.notBefore);
  refuse("ZeroPurposes", terms.purposes.length === 0);
  refuse("ZeroActions", terms.actions.length === 0);
}

/** Ends an act by the error's name, without `ConsentLedger` before it, if something is so. */
function refuse(error: string, isSo: boolean): void {
  if (isSo) throw new Refusal(error);
}
