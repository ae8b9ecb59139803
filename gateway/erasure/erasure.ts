/**
 * Erases exams, in an order that is safe against a crash at any point, and may be run again until it is whole:
 *
 * 1. close: the exam opens for nobody from here on, what is open is cut, and it is not registered again;
 * 2. retire it on the ledger, which is the custodian's to do, and wait until that is final;
 * 3. destroy, in one transaction, all that leads from the pointer to the study, and the keys of who read it (destroy.ts);
 * 4. sweep what the database keeps of deleted rows (sweep.ts).
 *
 * Until 3, salts and commitment are there to retire with. After it, nothing here knows that there was such an exam.
 */
import { setTimeout as delay } from "node:timers/promises";
import { and, eq, inArray, isNull } from "drizzle-orm";
import type { Erasable, ErasureStep } from "../../protocol/adminApi.ts";
import type { Hex } from "../../protocol/hash.ts";
import { slotsOfPatient } from "../access/slots.ts";
import { TransactionFailed } from "../chain/transactions.ts";
import type { Database } from "../database/database.ts";
import { enrolments, envelopeKeys, envelopes, examSeries, exams } from "../database/schema.ts";
import type { Operator } from "../enrolment/operator.ts";
import type { Pointers } from "../enrolment/pointers.ts";
import type { Retirements } from "../enrolment/retirements.ts";
import type { ArchiveFacts } from "../exams/facts.ts";
import { Problem } from "../problem.ts";
import { destroyScope } from "./destroy.ts";
import type { ErasingExams } from "./erasing.ts";
import { closeScope, type ExamRow, findScope, type Named } from "./scope.ts";
import { sweep } from "./sweep.ts";
import type { WithheldStudies } from "./withheld.ts";

export type ErasureContext = {
  database: Database;
  operator: Operator;
  pointers: Pointers;
  retirements: Retirements;
  facts: ArchiveFacts;
  erasing: ErasingExams;
  withheld: WithheldStudies;
  chainId: number;
  /** Blocks on top of a retirement before it is final. */
  confirmations: number;
};

/**
 * Milliseconds from an exam's closing until no gateway over the database decides on it any more: what they remember of it
 * holds for two seconds, and they look once a second.
 */
const SETTLED = 5_000;

/** Milliseconds between two looks at the ledger for a retirement; who waits is told each time. */
const PACE = 1_000;

export class Erasure {
  readonly #context: ErasureContext;

  constructor(context: ErasureContext) {
    this.#context = context;
  }

  /** What would be erased, for a person to look at. @throws {Problem} `not-found`, `malformed-request`, `archive-unavailable` */
  async preview(named: Named): Promise<Erasable> {
    const { pointers, leaving } = await findScope(this.#context.database, named);
    this.#context.facts.forget();
    const studies = Map.groupBy(pointers, ({ studyInstanceUid }) => studyInstanceUid);
    const described = [...studies].map(([study, exams]) => this.#describe(study, exams));
    const told = leaving.map(({ patientId, issuer, patient }) => ({ patientId, issuer, address: patient }));
    return { studies: await Promise.all(described), leaving: told };
  }

  /** Exams whose erasure was begun and is not whole. */
  async underWay(): Promise<Hex[]> {
    const rows = await this.#context.database.select().from(exams).where(eq(exams.state, "erasing"));
    return rows.map(({ examId }) => examId);
  }

  /**
   * Erase, and go on with what was begun before.
   * @param withhold the archive keeps the studies: do not register them again
   * @throws {Problem} `not-found`, `malformed-request`, `archive-unavailable`, `chain-unavailable`
   */
  async *erase(named: Named, withhold: boolean): AsyncGenerator<ErasureStep> {
    const { database, operator, facts, erasing, withheld, chainId } = this.#context;
    let isWhole = false;
    while (!isWhole) {
      const scope = await findScope(database, named);
      if (withhold) withheld.requireKey();
      else if (scope.leaving.length === 0) await this.#requireNotFoundAgain(scope.pointers);
      await closeScope(database, scope, withhold ? withheld : null);
      await erasing.look();
      const settled = performance.now() + SETTLED;
      yield { event: "closed", exams: scope.pointers.length };
      for (const pointer of scope.pointers) yield* this.#retire(pointer);
      await delay(Math.max(0, settled - performance.now()));
      isWhole = await destroyScope(database, scope, { signer: operator, chainId });
    }
    facts.forget();
    yield { event: "destroyed" };
    yield { event: "swept", isLogCut: await sweep(database) };
  }

  /** Let a study that was withheld be registered again. @throws {Problem} `not-found` */
  async release(studyInstanceUid: string): Promise<void> {
    if (!(await this.#context.withheld.release(studyInstanceUid)))
      throw new Problem("not-found", "That study is not withheld here.");
  }

  /** Retire a pointer, or have it retired, and wait until the ledger says so for good. */
  async *#retire(pointer: ExamRow): AsyncGenerator<ErasureStep> {
    const { pointers, retirements, confirmations } = this.#context;
    const { examId } = pointer;
    for (;;) {
      const head = await pointers.headNumber();
      const final = await pointers.at(examId, Math.max(0, head - confirmations));
      if (final.state === "retired") return yield { event: "retired", examId };
      const isRetired = (await pointers.stateOf(examId)) === "retired";
      if (!isRetired && retirements.areSent) await this.#sendRetirement(pointer);
      else {
        const transaction = isRetired ? null : retirements.transactionFor(pointer);
        yield { event: "waiting", examId, transaction };
        await delay(PACE);
      }
    }
  }

  /** Somebody else may have been first. */
  async #sendRetirement(pointer: ExamRow): Promise<void> {
    const { pointers, retirements } = this.#context;
    try {
      await retirements.retire(pointer);
    } catch (error) {
      if (!(error instanceof TransactionFailed)) throw error;
      if ((await pointers.stateOf(pointer.examId)) === "retired") return;
      throw new Problem("malformed-request", error.message, { cause: error });
    }
  }

  /**
   * What the archive has of an enrolled patient is registered when it is found: erased before, it would be found again.
   * @throws {Problem} `malformed-request`, `archive-unavailable`
   */
  async #requireNotFoundAgain(pointers: readonly ExamRow[]): Promise<void> {
    this.#context.facts.forget();
    for (const study of new Set(pointers.map(({ studyInstanceUid }) => studyInstanceUid))) {
      if (!(await this.#isFoundAgain(study))) continue;
      throw new Problem(
        "malformed-request",
        "The archive has this study, of a patient who is enrolled: it would be found and registered again. Delete it there first, or give it another patient id; or, where it has to stay, withhold it (--withhold), or erase all of the patient's (--patient).",
      );
    }
  }

  async #isFoundAgain(studyInstanceUid: string): Promise<boolean> {
    const { database, facts } = this.#context;
    const study = await facts.study(studyInstanceUid);
    if (!study) return false;
    const { patientId, issuer } = study;
    const isTheirs = and(eq(enrolments.patientId, patientId), eq(enrolments.issuer, issuer));
    return (await database.$count(enrolments, and(isTheirs, isNull(enrolments.endedAt)))) > 0;
  }

  async #describe(
    studyInstanceUid: string,
    pointers: readonly ExamRow[],
  ): Promise<Erasable["studies"][number]> {
    const study = await this.#context.facts.study(studyInstanceUid);
    const { patientId = null, patientName = null, studyDate = null, description = null } = study ?? {};
    const counts = await Promise.all(pointers.map((pointer) => this.#count(pointer)));
    return {
      studyInstanceUid,
      ...{ patientId, patientName, studyDate, description },
      isInArchive: study !== null,
      isFoundAgain: await this.#isFoundAgain(studyInstanceUid),
      exams: pointers.map(({ examId, state, patient }, index) => ({
        ...{ examId, state, owner: patient },
        ...(counts[index] ?? { receipts: 0, grants: 0 }),
      })),
    };
  }

  /** How many receipts are about an exam, and how many grants on it and its series are not revoked. */
  async #count({ examId, patient }: ExamRow): Promise<{ receipts: number; grants: number }> {
    const { database } = this.#context;
    const keyIds = database
      .select({ keyId: envelopeKeys.keyId })
      .from(envelopeKeys)
      .where(eq(envelopeKeys.subject, examId));
    const receipts = await database.$count(envelopes, inArray(envelopes.keyId, keyIds));
    const series = await database.select().from(examSeries).where(eq(examSeries.examId, examId));
    const resources = new Set<Hex>([examId, ...series.map(({ resource }) => resource)]);
    const slots = await slotsOfPatient(database, patient);
    const grants = slots.filter(({ kind, resource }) => kind === "granted" && resources.has(resource));
    return { receipts, grants: grants.length };
  }
}
