/**
 * Takes patients' signed acts, and tells what became of them.
 *
 * The signature is all that is asked for. It says whose will it is, better than a session does; a patient whose session is
 * over must still be able to shut somebody out; and whoever else holds a signed act could give it to the chain as well.
 * What is told about an act is told to who knows its id, which is random.
 */
import type { FastifyBaseLogger } from "fastify";
import type { PublicClient } from "viem";
import type { Hex } from "../../protocol/hash.ts";
import type { Relayed, RelayQueue } from "../../protocol/relay.ts";
import type { Chain } from "../chain/chain.ts";
import type { Database } from "../database/database.ts";
import type { QueuedRevokes } from "../decision/queuedRevokes.ts";
import { isEnrolled } from "../exams/people.ts";
import { Problem } from "../problem.ts";
import type { Prospect, Prospects } from "./prospects.ts";
import {
  areTakenBefore,
  findByDigest,
  findById,
  holdPatient,
  keepAct,
  openActsOf,
  type RelayRow,
  spentBy,
} from "./queue.ts";
import type { SignedAct } from "./signedAct.ts";

export type RelayContext = {
  database: Database;
  prospects: Prospects;
  chain: Pick<Chain, "head">;
  /** Asks wallets that are not on the chain yet (ERC-6492). */
  client: PublicClient;
  queuedRevokes: Pick<QueuedRevokes, "tell">;
  worker: { kick(): void };
  ledger: Hex;
  limits: RelayLimits;
  log: FastifyBaseLogger;
};

export type RelayLimits = {
  /** Gas that is spent on one patient's acts in 24 hours: so much for what opens, and so much again for what closes. */
  gasPerDay: number;
  /** Acts of one patient's that are taken in a minute: so many that open, and so many that close. */
  actsPerMinute: number;
  /** Seconds without a block after which the patient is offered to send an act directly. */
  patience: number;
};

/** Seconds for which a signature may be good at most: so long it may deny while no block takes it. */
const LONGEST_VALID = 8 * 86_400;

/** Gas that is set aside for an act which cannot be tried, since its wallet is not on the chain yet or other acts come first. */
const GAS_UNTRIED = 300_000n;

export class Relay {
  readonly #context: RelayContext;

  constructor(context: RelayContext) {
    this.#context = context;
  }

  /**
   * Take an act. From here on it is sent, and what it closes is closed, at every gateway over this database. The same act
   * again is the same row.
   * @throws {Problem} `act-…`, `not-enrolled`, `wallet-not-deployed`, `gas-budget-spent`, `too-many-requests`, `chain-unavailable`
   */
  async take(signed: SignedAct): Promise<Relayed> {
    const { database, queuedRevokes, worker } = this.#context;
    const known = await findByDigest(database, signed.digest);
    if (known && known.data === signed.data && known.state !== "refused") return this.#tell(known);
    const gas = await this.#gasFor(signed);
    // Asked after the signature was checked: nobody learns who is a patient here but the patient.
    if (!(await isEnrolled(database, signed.patient))) throw new Problem("not-enrolled");
    const row = await database.transaction(async (tx) => {
      await holdPatient(tx, signed.patient);
      await this.#requireBudget(tx, signed, Number(gas));
      return keepAct(tx, signed, Number(gas));
    });
    queuedRevokes.tell(signed.patient);
    worker.kick();
    return this.#tell(row);
  }

  /** What became of an act. @throws {Problem} `not-found` */
  async find(id: string): Promise<Relayed> {
    const row = await findById(this.#context.database, id);
    if (!row) throw new Problem("not-found");
    return this.#tell(row);
  }

  /** What a patient signed and finalised blocks do not have. */
  async queueOf(patient: Hex): Promise<RelayQueue> {
    const open = await openActsOf(this.#context.database, patient);
    return {
      acts: open.map(({ row, slots }) => ({
        ...this.#tell(row),
        slots: slots.map(({ resource, grantee, nonce }) => ({ resource, grantee, nonce })),
      })),
    };
  }

  /** Gas for an act whose signature is the patient's, and which the ledger takes as things are. */
  async #gasFor(signed: SignedAct): Promise<bigint> {
    const { prospects, chain } = this.#context;
    const { timestamp } = await chain.head();
    if (signed.deadline > BigInt(timestamp + LONGEST_VALID))
      throw new Problem(
        "malformed-request",
        "The deadline is more than eight days ahead. Sign with a nearer one.",
      );
    if (signed.deployment && !(await prospects.isDeployed(signed.patient)))
      return this.#gasWithDeployment(signed, timestamp);
    const prospect = await prospects.ofAct(signed.data);
    if (prospect.comes === "later") await this.#requireTakenBefore(signed);
    return gasOf(prospect);
  }

  /** The ledger cannot ask a wallet that is not there: the same is asked here, one by one. */
  async #gasWithDeployment(signed: SignedAct, timestamp: number): Promise<bigint> {
    const { prospects, client } = this.#context;
    const { patient, digest: hash, signature, deployment, epoch, deadline, slots } = signed;
    const isSigned = await client
      .verifyHash({ address: patient, hash, signature })
      .catch((cause: unknown) => {
        throw new Problem("chain-unavailable", undefined, { cause });
      });
    if (!isSigned) throw new Problem("act-not-signed");
    if (deadline <= BigInt(timestamp)) throw new Problem("act-expired");
    if (epoch !== null && epoch !== (await prospects.epochOf(patient))) throw new Problem("act-outdated");
    const nonces = await prospects.noncesOf(patient, slots, "latest");
    if (nonces.some((nonce, position) => nonce !== slots[position]?.nonce))
      await this.#requireTakenBefore(signed);
    const gas = deployment && (await prospects.ofDeployment(deployment));
    if (gas === null) throw new Problem("wallet-not-deployed");
    return gas + GAS_UNTRIED;
  }

  /** Other acts of the patient's that wait bring the ledger to what this one was signed for. @throws {Problem} `act-outdated` */
  async #requireTakenBefore({ patient, slots }: SignedAct): Promise<void> {
    const { database, prospects } = this.#context;
    const current = await prospects.noncesOf(patient, slots, "latest");
    if (slots.length === 0 || !(await areTakenBefore(database, patient, slots, current)))
      throw new Problem("act-outdated");
  }

  /** @throws {Problem} `gas-budget-spent`, `too-many-requests` */
  async #requireBudget(database: Database, { patient, slots }: SignedAct, gas: number): Promise<void> {
    const { gasPerDay, actsPerMinute } = this.#context.limits;
    // What was spent on opening never keeps a patient from closing.
    const spent = await spentBy(
      database,
      patient,
      slots.some(({ closes }) => closes),
    );
    if (spent.acts >= actsPerMinute) throw new Problem("too-many-requests", undefined, { retryAfter: 60 });
    if (spent.gas + gas > gasPerDay) throw new Problem("gas-budget-spent", undefined, { retryAfter: 3_600 });
  }

  #tell(row: RelayRow): Relayed {
    const { ledger, limits } = this.#context;
    const waits = row.state === "queued" || row.state === "sent";
    const isLate = waits && Date.now() >= row.since + limits.patience * 1_000;
    return {
      id: row.id,
      state: row.state,
      reason: row.reason,
      transaction: row.state === "mined" ? row.transaction : (row.hashes.at(-1) ?? null),
      block: row.block,
      direct: isLate ? { to: ledger, data: row.data } : null,
    };
  }
}

/** @throws {Problem} with the ledger's own error in words */
function gasOf(prospect: Prospect): bigint {
  if (prospect.comes === "never") throw new Problem(prospect.reason, prospect.detail);
  return prospect.comes === "now" ? prospect.gas : GAS_UNTRIED;
}
