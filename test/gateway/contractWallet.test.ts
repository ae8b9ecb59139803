/** Signing in with wallets that are contracts: Safes, as their makers publish them. */
import { serializeErc6492Signature } from "viem";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Hex } from "../../protocol/hash.ts";
import { Safe } from "../contracts/safe.ts";
import { type PersonName, reasonOf, World } from "../world.ts";

let world: World;

beforeAll(async () => {
  world = await World.open();
});

afterAll(() => world.close());

const renew = (token: string) => world.post("/auth/renew", undefined, { authorization: `Bearer ${token}` });
const tokenIn = async (answer: Response) => ((await answer.json()) as { access_token: string }).access_token;
const named = (...names: PersonName[]) => names.map((name) => world.people[name]);

type Message = string | Uint8Array;

/** A Safe as something that signs in. */
async function walletOf(safe: Safe, sign = (message: Message) => safe.signMessage(message)) {
  return { address: await safe.getAddress(), signMessage: sign };
}

describe("a deployed Safe (ERC-1271)", () => {
  test("signs in with two of its owners, and with no fewer", async () => {
    const safe = await Safe.deploy(world.people.governor, named("patient", "otherPatient", "stranger"));
    const answer = await world.trySignIn(await walletOf(safe));
    expect(answer.status).toBe(200);
    const me = await world.get("/me", { token: await tokenIn(answer) });
    expect(await me.json()).toMatchObject({ address: await safe.getAddress() });

    for (const signers of [named("patient"), named("patient", "reader"), named("patient", "patient")]) {
      safe.signers = signers;
      expect(await reasonOf(await world.trySignIn(await walletOf(safe)))).toBe("401 signature-invalid");
    }
  });

  test("is not signed in by an owner alone, who signs as for themselves, nor by another Safe of theirs", async () => {
    const { governor, patient } = world.people;
    const owners = named("patient", "otherPatient");
    const [safe, twin] = [await Safe.deploy(governor, owners), await Safe.deploy(governor, owners)];
    for (const sign of [
      (message: Message) => patient.signMessage(message),
      (message: Message) => twin.signMessage(message),
    ]) {
      expect(await reasonOf(await world.trySignIn(await walletOf(safe, sign)))).toBe("401 signature-invalid");
    }
  });

  test("is asked again at each renewal, and takes its sessions back with its word", async () => {
    const owners = named("otherPatient", "reader");
    const safe = await Safe.deploy(world.people.governor, owners);
    const wallet = await walletOf(safe);
    const token = await tokenIn(await world.trySignIn(wallet));
    const renewed = await renew(token);
    expect(renewed.status).toBe(200);

    await safe.swapFirstOwner(world.people.stranger.address);
    expect(await reasonOf(await renew(await tokenIn(renewed)))).toBe("401 signature-invalid");
    expect(await reasonOf(await world.get("/me", { token }))).toBe("401 token-revoked");
    expect(await reasonOf(await world.trySignIn(wallet))).toBe("401 signature-invalid");
  });
});

describe("a Safe that is not deployed yet (ERC-6492)", () => {
  test("signs in, stays signed in, and leaves the chain as it was", async () => {
    const { safe, deployment } = await Safe.foresee(world.people.governor, named("patient", "stranger"));
    const address = await safe.getAddress();
    const before = await world.provider.getTransactionCount(world.people.operator.address);
    const answer = await world.trySignIn(await walletOf(safe, wrapped(safe, deployment)));
    expect(answer.status).toBe(200);
    expect((await renew(await tokenIn(answer))).status).toBe(200);
    expect(await world.provider.getCode(address)).toBe("0x");
    expect(await world.provider.getTransactionCount(world.people.operator.address)).toBe(before);
  });

  test("goes on with its session when it is deployed after all", async () => {
    const { governor } = world.people;
    const { safe, deployment } = await Safe.foresee(governor, named("patient", "otherReader"));
    const token = await tokenIn(await world.trySignIn(await walletOf(safe, wrapped(safe, deployment))));
    await (await governor.sendTransaction({ to: deployment.factory, data: deployment.data })).wait();
    expect((await renew(token)).status).toBe(200);
    expect((await world.trySignIn(await walletOf(safe))).status).toBe(200);
  });

  test.each<[string, { signers?: PersonName[]; bend?: (other: Deployment) => Partial<Deployment> }]>([
    ["by one owner", { signers: ["patient"] }],
    ["by somebody else", { signers: ["reader", "otherReader"] }],
    ["with the deployment of another Safe", { bend: ({ data }) => ({ data }) }],
    ["with a deployment that does nothing", { bend: () => ({ data: "0x00" }) }],
    ["with a factory that is none", { bend: () => ({ factory: `0x${"11".repeat(20)}` }) }],
  ])("is not signed in %s", async (_name, { signers, bend }) => {
    const { governor } = world.people;
    const { safe, deployment } = await Safe.foresee(governor, named("patient", "custodian"));
    const { deployment: other } = await Safe.foresee(governor, named("reader", "stranger"));
    if (signers) safe.signers = named(...signers);
    const bent = { ...deployment, ...bend?.(other) };
    const answer = await world.trySignIn(await walletOf(safe, wrapped(safe, bent)));
    expect(await reasonOf(answer)).toBe("401 signature-invalid");
  });

  test("vouches for no key's address", async () => {
    const { governor, patient } = world.people;
    const { safe, deployment } = await Safe.foresee(governor, named("reader", "otherReader"));
    const impostor = { address: patient.address, signMessage: wrapped(safe, deployment) };
    expect(await reasonOf(await world.trySignIn(impostor))).toBe("401 signature-invalid");
  });
});

type Deployment = { factory: string; data: string };

/** What owners sign before their Safe is there: the signature, with the call that would deploy it. */
function wrapped(safe: Safe, { factory, data }: Deployment) {
  return async (message: Message) =>
    serializeErc6492Signature({
      address: factory as Hex,
      data: data as Hex,
      signature: (await safe.signMessage(message)) as Hex,
    });
}
