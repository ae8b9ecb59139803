/** All that a decision rests on, put together: the chain as it is followed, what the database keeps, and the judge over both. */
import type { JsonRpcProvider } from "ethers";
import type { FastifyBaseLogger } from "fastify";
import { Chain } from "../chain/chain.ts";
import { EventFollower } from "../chain/eventFollower.ts";
import type { GatewayConfig } from "../config.ts";
import type { Database } from "../database/database.ts";
import type { Seal } from "../database/seal.ts";
import { Decider } from "../decision/decider.ts";
import { QueuedRevokes } from "../decision/queuedRevokes.ts";
import { Emergencies } from "../emergency/emergencies.ts";
import { ErasingExams } from "../erasure/erasing.ts";
import { ExamDirectory } from "../exams/directory.ts";
import { Grantees } from "./grantees.ts";
import { Judge } from "./judge.ts";

/** What the parts of a gateway that decide stand on. */
export type DecisionsContext = {
  database: Database;
  provider: JsonRpcProvider;
  seal: Seal;
  log: FastifyBaseLogger;
};

/** What decides, and what it decides by. */
export type Decisions = {
  chain: Chain;
  decider: Decider;
  directory: ExamDirectory;
  grantees: Grantees;
  emergencies: Emergencies;
  erasing: ErasingExams;
  queuedRevokes: QueuedRevokes;
  judge: Judge;
  /** Follow the chain, and what other gateways over the database were told, from now on. */
  start(): Promise<void>;
  close(): Promise<void>;
};

/**
 * Put them together. The judge hears first of whatever may change a decision: what is registered later on the chain, on
 * erasures and on queued revokes finds its old verdicts dropped.
 * @throws {ConfigError} where the database holds what another key sealed
 */
export async function openDecisions(
  config: GatewayConfig,
  { database, provider, seal, log }: DecisionsContext,
): Promise<Decisions> {
  const { consentLedger: ledger, emergencyAccess, custodian, grantConfirmations: confirmations } = config;
  const followed = emergencyAccess === null ? [ledger] : [ledger, emergencyAccess];
  const events = new EventFollower(database, provider, followed, config.consentLedgerBlock);
  const chain = new Chain(provider, events, { poll: config.headPoll, maxAge: config.headMaxAge }, log);
  const decider = new Decider(chain, database, { ledger, emergencyAccess, confirmations });
  const directory = new ExamDirectory(database, custodian);
  const grantees = await Grantees.open(database, seal);
  const emergencies = await Emergencies.open(database, seal);
  const erasing = new ErasingExams(database, log);
  const queuedRevokes = new QueuedRevokes(database, config.headPoll, log);
  const judge = new Judge({
    ...{ decider, directory, database, custodian },
    ...{ grantees, emergencies, erasing },
  });
  chain.onRead((changes) => judge.drop(changes));
  erasing.onClosed((closed) => {
    directory.forget();
    judge.drop(closed);
  });
  queuedRevokes.onChange((changes) => judge.drop(changes));
  return {
    ...{ chain, decider, directory, grantees, emergencies, erasing, queuedRevokes, judge },
    async start() {
      await chain.start();
      await erasing.start();
      await queuedRevokes.start();
    },
    async close() {
      await queuedRevokes.close();
      await erasing.close();
      await chain.close();
    },
  };
}
