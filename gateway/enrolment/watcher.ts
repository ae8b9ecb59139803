/**
 * Watches the archive for studies of enrolled patients, and submits those that are new or have grown: by DICOMweb
 * searches alone, since archives have no common way to tell of what arrives.
 *
 * A study is submitted once it is stable: when what the archive lists of it has not changed for a while.
 */
import { randomUUID } from "node:crypto";
import { and, eq, isNull } from "drizzle-orm";
import type { FastifyBaseLogger } from "fastify";
import type { ArchiveClient } from "../archive/client.ts";
import type { Database } from "../database/database.ts";
import { giveBackLease, takeLease } from "../database/lease.ts";
import { enrolments } from "../database/schema.ts";
import type { ArchiveFacts, StudyFacts } from "../exams/facts.ts";
import { LastingFault } from "../operations/lastingFault.ts";
import { Rounds } from "../operations/rounds.ts";
import { Problem, toProblem } from "../problem.ts";
import { listContents } from "./contents.ts";
import { findPatient } from "./patients.ts";
import type { EnrolmentRow, Registrar } from "./registrar.ts";

export type WatcherContext = {
  database: Database;
  archive: ArchiveClient;
  registrar: Registrar;
  facts: ArchiveFacts;
  /** Milliseconds between two looks at everybody's studies; 0 for none. */
  poll: number;
  /** Milliseconds for which a study must not change before it is submitted. */
  stable: number;
};

/** What a study was like when it was last listed. Times on the monotonic clock. */
type Seen = {
  instances: number | null;
  fingerprint: string;
  since: number;
  listedAt: number;
  isSubmitted: boolean;
};

/** Milliseconds without another file after which what was stored through the gateway is submitted. */
const QUIET = 2_000;
/** Milliseconds after which a study is listed again though the archive counts as many instances as before. */
const RELIST = 60 * 60_000;
/** Milliseconds for which one gateway alone watches, beyond its pause. */
const LEASE = 60_000;

export class ArchiveWatcher {
  readonly #context: WatcherContext;
  readonly #log: FastifyBaseLogger;
  readonly #holder = randomUUID();
  readonly #fault: LastingFault;
  readonly #rounds = new Rounds(() => this.#round());
  readonly #seen = new Map<string, Seen>();
  readonly #arrivals = new Map<string, NodeJS.Timeout>();
  readonly #submitting = new Set<Promise<void>>();

  constructor(context: WatcherContext, log: FastifyBaseLogger) {
    this.#context = context;
    this.#log = log;
    this.#fault = new LastingFault(log, {
      level: "warn",
      comes: "The archive is not watched",
      goes: "The archive is watched again",
    });
  }

  /** Begin to look, now and from then on. */
  start(): void {
    if (this.#context.poll > 0) void this.#rounds.start();
  }

  /** End after the study under way. */
  async close(): Promise<void> {
    for (const timer of this.#arrivals.values()) clearTimeout(timer);
    await Promise.all([this.#rounds.close(), ...this.#submitting]);
    await giveBackLease(this.#context.database, { name: LEASE_NAME, holder: this.#holder }).catch(
      () => undefined,
    );
  }

  /** A file of a study was stored through the gateway: submit it once no further one comes. */
  stored(studyInstanceUid: string): void {
    clearTimeout(this.#arrivals.get(studyInstanceUid));
    const timer = setTimeout(() => {
      this.#arrivals.delete(studyInstanceUid);
      const submitting = this.#submitStored(studyInstanceUid).finally(() =>
        this.#submitting.delete(submitting),
      );
      this.#submitting.add(submitting);
    }, QUIET);
    this.#arrivals.set(studyInstanceUid, timer);
  }

  async #round(): Promise<number> {
    try {
      await this.#pass();
      this.#fault.gone();
    } catch (error) {
      this.#fault.met(toProblem(error));
    }
    return this.#context.poll;
  }

  /** Look at everybody's studies, one after the other, unless another gateway does. */
  async #pass(): Promise<void> {
    const { database, archive } = this.#context;
    const live = await database.select().from(enrolments).where(isNull(enrolments.endedAt));
    const listed = new Set<string>();
    for (const enrolment of live) {
      if (this.#rounds.isEnding || !(await this.#holdLease())) return;
      const found = await findPatient(archive, enrolment).catch(nobody);
      for (const study of found?.studies ?? []) {
        if (this.#rounds.isEnding) return;
        listed.add(study.studyInstanceUid);
        await this.#look(enrolment, study);
      }
    }
    // What the archive has no more, nobody need remember.
    for (const study of this.#seen.keys()) if (!listed.has(study)) this.#seen.delete(study);
  }

  #holdLease(): Promise<boolean> {
    const seconds = Math.ceil((this.#context.poll + LEASE) / 1_000);
    return takeLease(this.#context.database, { name: LEASE_NAME, holder: this.#holder, seconds });
  }

  async #look(enrolment: EnrolmentRow, study: StudyFacts): Promise<void> {
    const { archive, registrar, stable } = this.#context;
    const { studyInstanceUid, numberOfInstances: instances } = study;
    const now = performance.now();
    const before = this.#seen.get(studyInstanceUid);
    if (before?.isSubmitted && !mayHaveChanged(before, instances, now)) return;
    const { fingerprint } = await listContents(archive, studyInstanceUid);
    const hasChanged = before?.fingerprint !== fingerprint;
    const since = hasChanged ? now : before.since;
    const isKnown = hasChanged && (await registrar.contentsOf(studyInstanceUid)) === fingerprint;
    const seen = { instances, fingerprint, since, listedAt: now };
    const isDue = isKnown || now - since >= stable;
    this.#seen.set(studyInstanceUid, { ...seen, isSubmitted: isDue });
    if (isDue) await this.#submit(enrolment, studyInstanceUid);
  }

  /** What cannot be submitted is logged, and looked at again when it changes, or an hour later. */
  async #submit(enrolment: EnrolmentRow, studyInstanceUid: string): Promise<void> {
    try {
      const { outcome, bad } = await this.#context.registrar.submit(enrolment, studyInstanceUid);
      if (outcome === "unchanged") return;
      this.#context.facts.forget();
      this.#log.info({ outcome, unreadable: bad.length }, "A study in the archive was found");
    } catch (error) {
      const problem = toProblem(error);
      if (problem.status >= 500) this.#seen.delete(studyInstanceUid);
      // Whether what was registered is still there can be asked later; the other studies do not wait for it.
      if (problem.reason === "chain-unavailable") return;
      if (problem.status >= 500) throw problem;
      this.#log.warn({ why: problem.detail }, "A study in the archive cannot be registered");
    }
  }

  async #submitStored(studyInstanceUid: string): Promise<void> {
    try {
      const study = await this.#context.facts.study(studyInstanceUid);
      const enrolment = study && (await this.#enrolmentOf(study));
      if (enrolment) await this.#submit(enrolment, studyInstanceUid);
    } catch (error) {
      const { reason } = toProblem(error);
      this.#log.warn(
        { reason },
        "What was stored is not registered yet; the next look at the archive finds it",
      );
    }
  }

  async #enrolmentOf({ patientId, issuer }: StudyFacts): Promise<EnrolmentRow | undefined> {
    const isTheirs = and(eq(enrolments.patientId, patientId), eq(enrolments.issuer, issuer));
    const [live] = await this.#context.database
      .select()
      .from(enrolments)
      .where(and(isTheirs, isNull(enrolments.endedAt)));
    return live;
  }
}

const LEASE_NAME = "watch the archive";

/** An archive that does not count is listed at each look. */
function mayHaveChanged({ instances, listedAt }: Seen, counted: number | null, now: number): boolean {
  return counted === null || counted !== instances || now - listedAt > RELIST;
}

/** Somebody whose exams the archive has no more, or not yet. */
function nobody(error: unknown): null {
  if (error instanceof Problem && error.reason === "not-found") return null;
  throw error;
}
