/**
 * What a patient signed to shut somebody out denies from the moment that the relay has it, until the ledger itself has it
 * at the head that is decided on. Should a reorganisation take that back, it denies again: for as long as its row is there,
 * which is until finalised blocks have it or can never have it (`relay/relayWorker.ts`).
 *
 * A row is written only for what the patient's own signature covers and the ledger would take now. So nobody else can
 * deny in a patient's name, and nobody can with what the patient signed for an earlier state.
 */
import { and, eq, gt, isNull, lte, notExists, or, type SQL, sql } from "drizzle-orm";
import { alias } from "drizzle-orm/pg-core";
import type { FastifyBaseLogger } from "fastify";
import type { Hex } from "../../protocol/hash.ts";
import type { Followed } from "../chain/eventFollower.ts";
import type { Block } from "../chain/provider.ts";
import type { Database } from "../database/database.ts";
import { ledgerEvents, relaySlots } from "../database/schema.ts";
import { LastingFault } from "../operations/lastingFault.ts";
import { Rounds } from "../operations/rounds.ts";
import { type Asked, bearingOn } from "./slotRows.ts";

/** Whether an act that waits shuts out whom this is asked about, under that name. */
export function isQueuedAgainst(database: Database, question: Asked, head: Block): Promise<boolean> {
  return isAnyQueued(database, bearingOn(relaySlots, question), head);
}

/** Whether a `RevokeAll` of a patient's waits: guardians whom it ends have no say. */
export function isRevokeAllQueued(database: Database, patient: Hex, head: Block): Promise<boolean> {
  const isAll = and(eq(relaySlots.patient, patient), isNull(relaySlots.resource));
  return isAnyQueued(database, isAll, head);
}

/** A slot's nonce on the chain that is greater than the signed one: the act itself is there, or what took its place. */
async function isAnyQueued(database: Database, acts: SQL | undefined, head: Block): Promise<boolean> {
  const { resource, grantee, nonce } = relaySlots;
  const event = alias(ledgerEvents, "event");
  const seen = and(
    eq(event.patient, relaySlots.patient),
    eq(event.orphaned, false),
    lte(event.blockNumber, head.number),
  );
  const ofSlot = and(seen, eq(event.resource, resource), eq(event.grantee, grantee), gt(event.nonce, nonce));
  const writes = database.select({ nonce: event.nonce }).from(event).where(ofSlot);
  const revokes = database
    .select({ count: sql`count(*)` })
    .from(event)
    .where(and(seen, eq(event.kind, "revoked-all")));
  const rows = await database
    .select({ nonce })
    .from(relaySlots)
    .where(
      and(
        acts,
        eq(relaySlots.closes, true),
        or(isNull(resource), notExists(writes)),
        // Without a slot, what counts is how often the patient revoked all.
        or(sql`${resource} is not null`, sql`(${revokes}) <= ${nonce}`),
      ),
    )
    .limit(1);
  return rows.length > 0;
}

/** Tells when acts that shut somebody out came or went, at this gateway or another over the same database. */
export class QueuedRevokes {
  readonly #database: Database;
  /** Milliseconds between two looks at what other gateways were handed. */
  readonly #pace: number;
  readonly #silence: LastingFault;
  readonly #rounds = new Rounds(() => this.#read());
  readonly #listeners: ((changes: Followed) => void)[] = [];
  #known = new Map<string, Hex>();

  constructor(database: Database, pace: number, log: FastifyBaseLogger) {
    this.#database = database;
    this.#pace = pace;
    this.#silence = new LastingFault(log, {
      level: "warn",
      comes: "Revokes in the queue cannot be read",
      goes: "Revokes in the queue are read again",
    });
  }

  /** Called in order of registration, with the patients whose decisions may be others now. */
  onChange(listener: (changes: Followed) => void): void {
    this.#listeners.push(listener);
  }

  /** Look now, and from now on at the configured pace. */
  start(): Promise<void> {
    return this.#rounds.start();
  }

  close(): Promise<void> {
    return this.#rounds.close();
  }

  /** A patient's act has come, here: tell at once. */
  tell(patient: Hex): void {
    for (const listener of this.#listeners) listener([{ patient }]);
  }

  async #read(): Promise<number> {
    try {
      const rows = await this.#database
        .selectDistinct({ id: relaySlots.relayId, patient: relaySlots.patient })
        .from(relaySlots)
        .where(eq(relaySlots.closes, true));
      const now = new Map(rows.map(({ id, patient }) => [id, patient]));
      const came = rows.filter(({ id }) => !this.#known.has(id)).map(({ patient }) => patient);
      const went = [...this.#known].filter(([id]) => !now.has(id)).map(([, patient]) => patient);
      this.#known = now;
      for (const patient of new Set([...came, ...went])) this.tell(patient);
      this.#silence.gone();
    } catch (error) {
      this.#silence.met(error);
    }
    return this.#pace;
  }
}
