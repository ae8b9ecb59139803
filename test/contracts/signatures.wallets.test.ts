/** Whoever can sign under an address is a patient like any other: a key, people who hold a wallet together, an account. */
import { concat, dataLength, ZeroAddress } from "ethers";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { granteeOf } from "../../protocol/ids.ts";
import { ACT_TYPES } from "../../protocol/typedData.ts";
import { Account, delegateTo } from "./accounts.ts";
import { Safe } from "./safe.ts";
import { Scene } from "./scene.ts";
import { ACTS, type Signatory, signAct } from "./signing.ts";
import type { OpenLedger } from "./world.ts";

type MakeWallet = (world: OpenLedger) => Promise<Signatory>;

const safeOf = ({ people }: OpenLedger) =>
  Safe.deploy(people.governor, [people.patient, people.operator, people.reader]);
const accountOf = ({ people }: OpenLedger) => Account.deploy(people.governor, people.patient);
const delegatedOf = ({ people }: OpenLedger) => Account.delegate(people.governor, people.patient);

const INVALID = "ConsentLedgerInvalidSignature";

describe.each<[string, MakeWallet]>([
  ["an EOA", async ({ people }) => people.patient],
  ["a Safe, two of whose three owners sign", safeOf],
  ["a smart account", accountOf],
  ["a delegated EOA, as its account wants it", delegatedOf],
  [
    "a delegated EOA, with its key alone",
    async (world) => (await delegatedOf(world)) && world.people.patient,
  ],
])("%s", (_, wallet) => {
  let scene: Scene;

  beforeAll(async () => {
    scene = await Scene.open(wallet);
  });
  afterAll(() => scene.close());

  it.each(ACTS)("signs %s, which is done under its address, and once", (act) =>
    scene.rewinding(async () => {
      const message = await scene.next(act);
      const signature = await scene.sign(act, message);
      const [event, ...more] = await scene.submit(act, message, signature);
      expect(event?.topics).toContain(granteeOf(scene.of.patient));
      expect(more).toEqual([]);
      expect(await scene.submit(act, message, signature)).toEqual([]);
    }),
  );

  it.each(ACTS)("is not signed for by anybody else: %s", async (act) => {
    const message = await scene.next(act);
    const { otherPatient, operator, stranger } = scene.world.people;
    for (const person of [otherPatient, operator, stranger]) {
      const signature = await scene.sign(act, message, person);
      await expect(scene.submit(act, message, signature)).rejects.toThrow(INVALID);
    }
  });

  it("signs no other act than the one that is sent", async () => {
    const message = await scene.next("Grant");
    const signature = await scene.sign("Grant", { ...message, resource: granteeOf(scene.of.reader) });
    await expect(scene.submit("Grant", message, signature)).rejects.toThrow(INVALID);
  });
});

describe("a Safe", () => {
  let scene: Scene;
  let safe: Safe;
  let before: string;

  beforeAll(async () => {
    scene = await Scene.open(async (world) => {
      safe = await safeOf(world);
      return safe;
    });
  });
  afterAll(() => scene.close());

  beforeEach(async () => {
    before = await scene.snapshot();
    safe.signers = [scene.world.people.patient, scene.world.people.operator];
  });
  afterEach(() => scene.restore(before));

  it("signs with more bytes than a key does", async () => {
    expect(dataLength(await scene.sign("Grant", await scene.next("Grant")))).toBe(130);
  });

  it("needs two owners, and two that differ", async () => {
    const { patient, operator, stranger } = scene.world.people;
    const message = await scene.next("Grant");
    for (const signers of [[patient], [operator], [patient, patient], [patient, stranger]]) {
      safe.signers = signers;
      await expect(scene.submit("Grant", message, await scene.sign("Grant", message))).rejects.toThrow(
        INVALID,
      );
    }
  });

  it("is not signed for by owners who sign the act itself, as they would for themselves", async () => {
    const message = await scene.next("Grant");
    const owners = [scene.world.people.patient, scene.world.people.operator];
    const signatures = await Promise.all(owners.map((owner) => scene.sign("Grant", message, owner)));
    for (const signature of [...signatures, concat(signatures), concat(signatures.toReversed())]) {
      await expect(scene.submit("Grant", message, signature)).rejects.toThrow(INVALID);
    }
  });

  it("is not signed for by the same owners as another Safe of theirs", async () => {
    const message = await scene.next("Grant");
    const twin = await safeOf(scene.world);
    const signature = await scene.sign("Grant", message, twin);
    await expect(scene.submit("Grant", message, signature)).rejects.toThrow(INVALID);
  });

  it("may sign on chain, and then sends no signature", async () => {
    const message = await scene.next("Grant");
    await expect(scene.submit("Grant", message, "0x")).rejects.toThrow(INVALID);
    await safe.signOnChain(scene.domain, { Grant: [...ACT_TYPES.Grant] }, message);
    expect(await scene.submit("Grant", message, "0x")).toHaveLength(1);
    expect(await scene.decide()).toBe("permitted");
    const other = await scene.next("Grant");
    await expect(scene.submit("Grant", other, "0x")).rejects.toThrow(INVALID);
  });

  it("whose owners change leaves nothing of what the former ones signed", async () => {
    const [sent, unsent] = [await scene.next("Grant"), await scene.next("RevokeAll")];
    const [signature, unsentSignature] = [
      await scene.sign("Grant", sent),
      await scene.sign("RevokeAll", unsent),
    ];
    await scene.submit("Grant", sent, signature);
    await safe.swapFirstOwner(scene.of.stranger);

    await expect(scene.submit("RevokeAll", unsent, unsentSignature)).rejects.toThrow(INVALID);
    await expect(scene.submit("Grant", sent, signature)).rejects.toThrow(INVALID);
    await expect(scene.submitNext("RevokeAll")).rejects.toThrow(INVALID);
    expect(await scene.decide()).toBe("permitted");

    safe.signers = [scene.world.people.stranger, scene.world.people.operator];
    await scene.submitNext("RevokeAll");
    expect(await scene.decide()).toBe("revoked");
  });
});

describe("a smart account", () => {
  let scene: Scene;

  beforeAll(async () => {
    scene = await Scene.open(accountOf);
  });
  afterAll(() => scene.close());

  it("is not signed for by its key alone, nor as another account of that key", async () => {
    const message = await scene.next("Grant");
    const { patient: key } = scene.world.people;
    const twin = await accountOf(scene.world);
    for (const signatory of [key, twin]) {
      const signature = await scene.sign("Grant", message, signatory);
      await expect(scene.submit("Grant", message, signature)).rejects.toThrow(INVALID);
    }
  });

  it("signs nothing for its key's own address", async () => {
    const patient = await scene.world.people.patient.getAddress();
    const message = await scene.next("Grant", { patient });
    await expect(scene.submit("Grant", message, await scene.sign("Grant", message))).rejects.toThrow(INVALID);
  });
});

describe("an EOA that delegates", () => {
  let scene: Scene;
  let before: string;

  beforeAll(async () => {
    scene = await Scene.open();
  });
  afterAll(() => scene.close());

  beforeEach(async () => {
    before = await scene.snapshot();
  });
  afterEach(() => scene.restore(before));

  const codeOfPatient = () => scene.world.ethers.provider.getCode(scene.of.patient);

  it("keeps what it signed before, and signs in both ways after", async () => {
    const message = await scene.next("Grant");
    const signature = await scene.sign("Grant", message);
    const account = await delegatedOf(scene.world);
    expect(await codeOfPatient()).toMatch(/^0xef0100[0-9a-f]{40}$/);

    expect(await scene.submit("Grant", message, signature)).toHaveLength(1);
    for (const signatory of [scene.patient, account]) {
      const next = await scene.next("Grant");
      expect(await scene.submit("Grant", next, await scene.sign("Grant", next, signatory))).toHaveLength(1);
    }
  });

  it("signs with its key alone once it delegates no more", async () => {
    const account = await delegatedOf(scene.world);
    const message = await scene.next("Grant");
    const nested = await scene.sign("Grant", message, account);
    const plain = await scene.sign("Grant", message);
    await delegateTo(scene.world.people.governor, scene.world.people.patient, ZeroAddress);
    expect(await codeOfPatient()).toBe("0x");

    await expect(scene.submit("Grant", message, nested)).rejects.toThrow(INVALID);
    expect(await scene.submit("Grant", message, plain)).toHaveLength(1);
  });

  it("to an account that says nothing of signatures still signs with its key", async () => {
    const { governor, patient } = scene.world.people;
    await delegateTo(governor, patient, await scene.world.ledger.getAddress());
    expect(await scene.submitNext("Grant")).toHaveLength(1);
    const message = await scene.next("Grant");
    const signature = await signAct(scene.world.people.stranger, scene.domain, "Grant", message);
    await expect(scene.submit("Grant", message, signature)).rejects.toThrow(INVALID);
  });
});
