/** Who and what histories are made of: so little of each that what people do collides. */
import { type Batch, type Membership, NOBODY, type Seconds } from "./acts.ts";

/** Custodians, an operator, patients and readers. Anybody may try anything. */
export const PEOPLE = ["clinic", "hospital", "otto", "ann", "ben", "cleo", "rita", "raj"] as const;

/** Those who may own an exam, or be guardians of each other. */
export const PATIENTS = ["ann", "ben", "cleo", "rita"] as const;

/** Most is about the first. The second differs from it in the patient alone. */
export const EXAMS = ["clinic/ann/head", "clinic/ben/head", "hospital/ann/knee"] as const;
export const [HEAD, OTHER_HEAD, KNEE] = EXAMS;

/** An exam that no ledger should take. */
export const OF_NOBODY = `clinic/${NOBODY}/head`;

/** What blinds a reader. */
export const SALT = "salt";

/** When every history begins. */
export const START: Seconds = 1_800_000_000;

/** Where periods begin and end. */
export const BOUNDARIES = [START, START + 4, START + 8] as const;

/** A batch with all exams, whoever registers it, and one with a single leaf, whose proof is empty. */
export const MANY: Batch = [...EXAMS, OF_NOBODY].map((exam) => ({ exam, manifest: "of many" }));
export const ONE: Batch = [{ exam: HEAD, manifest: "of one" }];

export const IN_MANY: Membership = { batch: MANY, manifest: "of many", proven: true };
export const IN_ONE: Membership = { batch: ONE, manifest: "of one", proven: true };
