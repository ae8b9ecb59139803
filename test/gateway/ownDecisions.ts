/** What decides in a gateway, without the rest of it: the same parts, put together by the same code, over a world's chain and database. */
import Fastify from "fastify";
import { openDecisions } from "../../gateway/access/decisions.ts";
import { connectChain } from "../../gateway/chain/provider.ts";
import { readConfig } from "../../gateway/config.ts";
import { openDatabase } from "../../gateway/database/database.ts";
import { ledgerEvents } from "../../gateway/database/schema.ts";
import { Seal } from "../../gateway/database/seal.ts";
import { keptSecret } from "../../gateway/database/settings.ts";
import type { Hex } from "../../protocol/hash.ts";
import type { LedgerReason } from "../../protocol/reasons.ts";

/** One series of an exam, as a frame of it is asked for. */
export type AskedSeries = { studyInstanceUid: string; seriesInstanceUid: string };

export type OwnDecisions = {
  /**
   * From a study's UID to the verdict for a reader, as the gate does it before a frame.
   * @param meanwhile what happens when its moment is taken and nothing is judged yet
   */
  decide(
    reader: string,
    asked: AskedSeries,
    meanwhile?: () => Promise<void>,
  ): Promise<{ reason: LedgerReason }>;
  /** Follow the chain to a head that is no older than this call. */
  catchUp(): Promise<void>;
  /** How many events of the ledger are followed. */
  events(): Promise<number>;
  close(): Promise<void>;
};

/** @param environment of a gateway that does not run: with its database, these decisions take its place */
export async function ownDecisions(environment: Record<string, string>): Promise<OwnDecisions> {
  const config = readConfig(environment);
  const { database, close } = await openDatabase(config);
  const { provider } = await connectChain(config.rpcUrl);
  const seal = new Seal(config.dataKey ?? (await keptSecret(database, "data-key")));
  const decisions = await openDecisions(config, { database, provider, seal, log: Fastify().log });
  const { chain, directory, judge } = decisions;
  await decisions.start();
  return {
    async decide(reader, { studyInstanceUid, seriesInstanceUid }, meanwhile) {
      const exam = await directory.byStudy(studyInstanceUid);
      if (!exam) return { reason: "not-granted" };
      const moment = await judge.now();
      await meanwhile?.();
      const address = reader.toLowerCase() as Hex;
      return judge.judge({ address, purpose: "TREAT" }, { exam, seriesInstanceUid, action: "VIEW" }, moment);
    },
    catchUp: () => chain.catchUp(),
    events: () => database.$count(ledgerEvents),
    async close() {
      await decisions.close();
      provider.destroy();
      await close();
    },
  };
}
