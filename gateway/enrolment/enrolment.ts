/** Ties patient ids to addresses, and registers the exams that the archive has for them. */
import { and, eq, isNull } from "drizzle-orm";
import type { Progress } from "../../protocol/adminApi.ts";
import type { Hex } from "../../protocol/hash.ts";
import { newSalt } from "../../protocol/ids.ts";
import { patientIdHash } from "../../protocol/typedData.ts";
import type { ArchiveClient } from "../archive/client.ts";
import type { Chain } from "../chain/chain.ts";
import { TransactionFailed } from "../chain/transactions.ts";
import type { Database } from "../database/database.ts";
import { enrolments } from "../database/schema.ts";
import type { ArchiveFacts, StudyFacts } from "../exams/facts.ts";
import { Problem } from "../problem.ts";
import type { Operator } from "./operator.ts";
import { findPatient, type PatientId } from "./patients.ts";
import type { EnrolmentRow, Registrar } from "./registrar.ts";

export type EnrolmentContext = {
  database: Database;
  archive: ArchiveClient;
  operator: Operator;
  registrar: Registrar;
  facts: ArchiveFacts;
  chain: Chain;
  custodian: Hex;
};

/** What is asked for: `replace` ends an enrolment to another address, and retires its exams. */
export type EnrolmentRequest = {
  patientId: string;
  issuer: string | undefined;
  address: Hex;
  replace: boolean;
};

export class Enrolment {
  readonly #context: EnrolmentContext;

  constructor(context: EnrolmentContext) {
    this.#context = context;
  }

  /** The address that a patient id is enrolled to now; null for none. */
  async enrolledTo(patient: PatientId): Promise<Hex | null> {
    return (await this.#live(patient))?.patient ?? null;
  }

  /**
   * Enrol a patient and register their exams, going on past an exam that fails. Doing it again is harmless.
   * @throws {Problem} where nothing can be begun
   */
  async *enrol(request: EnrolmentRequest): AsyncGenerator<Progress> {
    const found = await findPatient(this.#context.archive, request);
    const enrolment = await this.#bind(found, request);
    yield { event: "patient", ...pick(found), address: enrolment.patient, exams: found.studies.length };
    yield* this.#registerAll([{ enrolment, studies: found.studies }]);
  }

  /** Register new exams of everybody enrolled, amend changed ones. */
  async *refresh(): AsyncGenerator<Progress> {
    this.#context.facts.forget();
    const live = await this.#context.database.select().from(enrolments).where(isNull(enrolments.endedAt));
    const work: { enrolment: EnrolmentRow; studies: StudyFacts[] }[] = [];
    for (const enrolment of live) {
      const found = await findPatient(this.#context.archive, enrolment).catch((error: unknown) => {
        if (error instanceof Problem && error.reason === "not-found") return null;
        throw error;
      });
      if (found) work.push({ enrolment, studies: found.studies });
    }
    yield* this.#registerAll(work);
  }

  /** Take what the archive has of an exam now for right, and amend it. @throws {Problem} `not-found` */
  async *accept(examId: Hex): AsyncGenerator<Progress> {
    const { registrar, facts, chain } = this.#context;
    const { studyInstanceUid, ...accepted } = await registrar.accept(examId);
    facts.forget();
    await chain.catchUp();
    const study = await facts.study(studyInstanceUid);
    const { description = null, studyDate = null } = study ?? {};
    yield { event: "exam", description, studyDate, ...accepted };
  }

  async *#registerAll(work: { enrolment: EnrolmentRow; studies: StudyFacts[] }[]): AsyncGenerator<Progress> {
    const count = { registered: 0, amended: 0, unchanged: 0, failed: 0 };
    for (const { enrolment, studies } of work) {
      for (const study of studies) {
        const result = await this.#register(enrolment, study);
        count[result.outcome] += 1;
        yield { event: "exam", description: study.description, studyDate: study.studyDate, ...result };
      }
    }
    this.#context.facts.forget();
    // The gateway answers with what was just registered, not with what it saw a moment ago.
    await this.#context.chain.catchUp();
    yield { event: "done", ...count };
  }

  async #register(enrolment: EnrolmentRow, { studyInstanceUid }: StudyFacts) {
    try {
      return await this.#context.registrar.register(enrolment, studyInstanceUid);
    } catch (error) {
      if (error instanceof Problem) return { outcome: "failed" as const, why: error.detail };
      if (error instanceof TransactionFailed) return { outcome: "failed" as const, why: error.message };
      throw error;
    }
  }

  /** The enrolment that holds: the one that is there, or a new one, signed by the operator. */
  async #bind(found: PatientId, { address, replace }: EnrolmentRequest): Promise<EnrolmentRow> {
    const live = await this.#live(found);
    if (live?.patient === address) return live;
    if (live && !replace) {
      throw new Problem(
        "malformed-request",
        `Patient ${found.patientId} is enrolled to ${live.patient}. To mend a wrong enrolment, ask to replace it: its exams are retired and registered anew, and grants on them end.`,
      );
    }
    if (live) await this.#end(live);
    const issuedAt = Math.floor(Date.now() / 1000);
    const salt = newSalt();
    const signature = await this.#context.operator.signEnrolment({
      patient: address,
      patientIdHash: patientIdHash(salt, found.patientId, found.issuer),
      custodian: this.#context.custodian,
      issuedAt: BigInt(issuedAt),
    });
    const row = { ...pick(found), patient: address, salt, issuedAt, signature };
    const [inserted] = await this.#context.database
      .insert(enrolments)
      .values(row)
      .onConflictDoNothing()
      .returning();
    return inserted ?? this.#bind(found, { ...found, address, replace: false });
  }

  async #end(live: EnrolmentRow): Promise<void> {
    try {
      await this.#context.registrar.end(live);
    } catch (error) {
      if (error instanceof TransactionFailed)
        throw new Problem("malformed-request", error.message, { cause: error });
      throw error;
    }
  }

  async #live({ patientId, issuer }: PatientId): Promise<EnrolmentRow | undefined> {
    const [live] = await this.#context.database
      .select()
      .from(enrolments)
      .where(
        and(eq(enrolments.patientId, patientId), eq(enrolments.issuer, issuer), isNull(enrolments.endedAt)),
      );
    return live;
  }
}

function pick({ patientId, issuer }: PatientId): PatientId {
  return { patientId, issuer };
}
