/** Several resources under one signature: all of them or none, each with the nonce of its own slot. */
import { id } from "ethers";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { Scene } from "./scene.ts";
import type { Message } from "./signing.ts";

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

/** That many resources, none of which was ever granted. */
const resourcesOf = (count: number) => Array.from({ length: count }, (_, i) => id(`resource ${i}`));

const nonceOf = async ({ patient, grantee }: Message, resource: unknown): Promise<bigint> =>
  (await scene.world.ledger.getFunction("grantOf").staticCall(patient, resource, grantee)).nonce;

const submit = async (act: "GrantBatch" | "RevokeBatch", message: Message) =>
  scene.submit(act, message, await scene.sign(act, message));

describe.each(["GrantBatch", "RevokeBatch"] as const)("%s", (act) => {
  it.each([1, 2, 500])("does %d resources in one transaction, with one event", async (count) => {
    const message = await scene.next(act, { resources: resourcesOf(count) });
    expect(await submit(act, message)).toHaveLength(1);
    expect(await nonceOf(message, id("resource 0"))).toBe(1n);
    expect(await nonceOf(message, id(`resource ${count - 1}`))).toBe(1n);
    expect(await nonceOf(message, id(`resource ${count}`))).toBe(0n);
  });

  it.each([
    [0, 1],
    [1, 0],
    [2, 1],
    [2, 3],
  ])("is refused for %d resources with %d nonces", async (resources, nonces) => {
    const message = await scene.next(act, { resources: resourcesOf(resources) });
    const wrong = { ...message, nonces: Array.from({ length: nonces }, () => 0n) };
    await expect(submit(act, wrong)).rejects.toThrow(`ConsentLedgerNonceCount(${resources}, ${nonces})`);
  });

  it("of no resource is refused, directly and by signature", async () => {
    const message = await scene.next(act, { resources: [] });
    await expect(scene.act(act, message)).rejects.toThrow("ConsentLedgerEmptyBatch()");
    await expect(submit(act, message)).rejects.toThrow("ConsentLedgerEmptyBatch()");
  });

  it("is refused in another order, or for fewer, than was signed", async () => {
    const message = await scene.next(act);
    const signature = await scene.sign(act, message);
    const [first, second] = [message.resources].flat();
    for (const bent of [
      { resources: [second, first] },
      { resources: [first], nonces: [0n] },
      { resources: [first, second, first], nonces: [0n, 0n, 0n] },
    ]) {
      await expect(scene.submit(act, { ...message, ...bent }, signature)).rejects.toThrow(
        "ConsentLedgerInvalidSignature",
      );
    }
  });

  it("writes a resource twice that it names twice, and cannot be sent again", async () => {
    const [resource] = resourcesOf(1);
    const message = await scene.next(act, { resources: [resource, resource] });
    expect(message.nonces).toEqual([0n, 0n]);
    await submit(act, message);
    expect(await nonceOf(message, resource)).toBe(2n);
    await expect(submit(act, message)).rejects.toThrow("ConsentLedgerNonceMismatch(0, 2)");
  });

  it("is refused as a whole once one of its slots has moved on", async () => {
    const message = await scene.next(act);
    const [, second] = [message.resources].flat();
    const other = act === "GrantBatch" ? "Revoke" : "Grant";
    await scene.act(other, await scene.next(other, { resource: second }));
    const stored = await scene.storage();
    await expect(submit(act, message)).rejects.toThrow("ConsentLedgerNonceMismatch(0, 1)");
    expect(await scene.storage()).toBe(stored);
  });

  it("is refused as a whole where some of it was done and some was not", async () => {
    const message = await scene.next(act);
    const resources = [message.resources].flat();
    const single = act === "GrantBatch" ? "Grant" : "Revoke";
    for (const done of resources) {
      await scene.rewinding(async () => {
        await scene.act(single, await scene.next(single, { resource: done }));
        await expect(submit(act, message)).rejects.toThrow("ConsentLedgerNonceMismatch(0, ");
      });
    }
  });

  it("names each slot's own nonce", async () => {
    const [first, second] = resourcesOf(2);
    await scene.act("Revoke", await scene.next("Revoke", { resource: second }));
    const message = await scene.next(act, { resources: [first, second] });
    expect(message.nonces).toEqual([0n, 1n]);
    expect(await submit(act, message)).toHaveLength(1);
    expect(await submit(act, message)).toEqual([]);
  });
});
