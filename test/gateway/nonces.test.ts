import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { AccessLog } from "../../gateway/audit/accessLog.ts";
import { Sender } from "../../gateway/chain/sender.ts";
import { sharedTurns, type Turns, turns } from "../../gateway/chain/turns.ts";
import { type OpenDatabase, openDatabase } from "../../gateway/database/database.ts";
import { Pointers } from "../../gateway/enrolment/pointers.ts";
import type { Hex } from "../../protocol/hash.ts";
import { examCommitment, examId, newSalt } from "../../protocol/ids.ts";
import { findPostgres, startPostgres } from "../postgres.ts";
import { World } from "../world.ts";

/** Registrations that each gateway sends at the same moment. */
const MANY = 8;

let world: World;
const closers: (() => Promise<unknown>)[] = [];

beforeAll(async () => {
  world = await World.onNewChain({}, closers);
});
afterAll(() => world.close());

const custodian = () => world.people.custodian.address.toLowerCase() as Hex;

/** The operator's key in one gateway. */
function senderWith(inTurn: Turns): Sender {
  return new Sender(world.provider, world.people.operator.privateKey as Hex, 31337, inTurn);
}

/** Register an exam as the outbox does. @returns its id */
async function register(sender: Sender, pointers: Pointers): Promise<Hex> {
  const parts = {
    custodian: custodian(),
    patient: world.people.patient.address.toLowerCase() as Hex,
    commitment: examCommitment(newSalt(), "1.2.3"),
  };
  const call = pointers.call("register", { ...parts, manifestRoot: newSalt() });
  const terms = { gas: await sender.gasFor(call), fees: await sender.suggestedFees() };
  await sender.withNextNonce(async (nonce) => sender.send(await sender.sign({ ...call, ...terms, nonce })));
  return examId(parts);
}

/** Send registrations and an anchor from these gateways, all at the same moment: none may take another's place. */
async function sendAll(gateways: readonly Sender[]): Promise<void> {
  const { provider, environment } = world;
  const log = new AccessLog(provider, environment.ACCESS_LOG as Hex, custodian());
  const pointers = new Pointers(provider, environment.CONSENT_LEDGER as Hex, custodian());
  const first = BigInt((await log.count()) + 1);
  const registering = gateways.flatMap((sender) =>
    Array.from({ length: MANY }, () => register(sender, pointers)),
  );
  await gateways[0]?.execute(log.callToAnchor({ root: newSalt(), first, last: first }));
  for (const id of await Promise.all(registering)) expect(await pointers.stateOf(id)).toBe("registered");
  expect(await log.count()).toBe(Number(first));
}

describe("what is sent with the operator's key at the same moment", () => {
  test("takes a nonce each, registrations and anchors alike", async () => {
    await sendAll([senderWith(turns())]);
  });

  test.skipIf(!findPostgres())(
    "does so at two gateways over one database (needs Debian's postgresql)",
    async () => {
      const postgres = await startPostgres();
      const opened: OpenDatabase[] = [];
      for (let i = 0; i < 2; i++) opened.push(await openDatabase({ databaseUrl: postgres.url, dataDir: "" }));
      try {
        await sendAll(opened.map(({ database }) => senderWith(sharedTurns(database, "nonces"))));
      } finally {
        for (const { close } of opened) await close();
        await postgres.close();
      }
    },
  );
});
