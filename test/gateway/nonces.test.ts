import { Contract } from "ethers";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { sharedTurns, turns } from "../../gateway/chain/turns.ts";
import { type OpenDatabase, openDatabase } from "../../gateway/database/database.ts";
import { Operator } from "../../gateway/enrolment/operator.ts";
import { accessLogAbi } from "../../protocol/abi/accessLog.ts";
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

/** The operator's key in one gateway. */
function operatorWith(inTurn: ReturnType<typeof turns>): Operator {
  const { people, environment, provider } = world;
  const options = {
    ledger: environment.CONSENT_LEDGER as Hex,
    chainId: 31337,
    custodian: people.custodian.address.toLowerCase() as Hex,
    operatorKey: people.operator.privateKey as Hex,
    custodianKey: null,
  };
  return new Operator(provider, options, inTurn);
}

/** Register an exam as the outbox does. @returns its id */
async function register(operator: Operator): Promise<Hex> {
  const parts = {
    custodian: operator.custodian,
    patient: world.people.patient.address.toLowerCase() as Hex,
    commitment: examCommitment(newSalt(), "1.2.3"),
  };
  const pointer = { ...parts, examId: examId(parts) };
  const manifestRoot = newSalt();
  const gas = await operator.gasFor("register", pointer, manifestRoot);
  const fees = await operator.suggestedFees();
  await operator.withNextNonce((nonce) =>
    operator.send("register", pointer, manifestRoot, { nonce, gas, fees }),
  );
  return pointer.examId;
}

/** Send registrations and an anchor from these gateways, all at the same moment: none may take another's place. */
async function sendAll(gateways: readonly Operator[]): Promise<void> {
  const accessLog = world.environment.ACCESS_LOG as Hex;
  const contract = new Contract(accessLog, accessLogAbi, world.provider);
  const anchors = () => contract.getFunction("anchorCount").staticCall(world.people.custodian.address);
  const first = BigInt(await anchors()) + 1n;
  const registering = gateways.flatMap((operator) => Array.from({ length: MANY }, () => register(operator)));
  await gateways[0]?.anchor(accessLog, { root: newSalt(), first, last: first });
  for (const id of await Promise.all(registering)) expect(await gateways[0]?.stateOf(id)).toBe("registered");
  expect(await anchors()).toBe(first);
}

describe("what is sent with the operator's key at the same moment", () => {
  test("takes a nonce each, registrations and anchors alike", async () => {
    await sendAll([operatorWith(turns())]);
  });

  test.skipIf(!findPostgres())(
    "does so at two gateways over one database (needs Debian's postgresql)",
    async () => {
      const postgres = await startPostgres();
      const opened: OpenDatabase[] = [];
      for (let i = 0; i < 2; i++) opened.push(await openDatabase({ databaseUrl: postgres.url, dataDir: "" }));
      try {
        await sendAll(opened.map(({ database }) => operatorWith(sharedTurns(database, "nonces"))));
      } finally {
        for (const { close } of opened) await close();
        await postgres.close();
      }
    },
  );
});
