/** What a patient signed and anybody sends is done as if the patient had sent it, once. */
import { ZeroAddress } from "ethers";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Act } from "../../protocol/typedData.ts";
import { Scene } from "./scene.ts";
import { ACTS, type Message } from "./signing.ts";

let scene: Scene;

beforeAll(async () => {
  scene = await Scene.open();
});
afterAll(() => scene.close());

describe.each(ACTS)("%s", (act) => {
  it("does what the patient does directly: the same event, and the same in storage", async () => {
    const message = await scene.next(act);
    const signature = await scene.sign(act, message);
    const before = await scene.storage();
    const direct = await doneAt(message.deadline - 1n, () => scene.act(act, message));
    const signed = await doneAt(message.deadline - 1n, () => scene.submit(act, message, signature));
    expect(signed).toEqual(direct);
    expect(signed.events).toHaveLength(1);
    expect(signed.storage).not.toBe(before);
  });

  it("changes nothing when it is sent again and still stands", () =>
    scene.rewinding(async () => {
      const message = await scene.next(act);
      const signature = await scene.sign(act, message);
      expect(await scene.submit(act, message, signature)).toHaveLength(1);
      const done = await scene.storage();
      await scene.inTheSameSecond();
      expect(await scene.submit(act, message, signature)).toEqual([]);
      await scene.inTheSameSecond();
      expect(await scene.submit(act, message, signature)).toEqual([]);
      expect(await scene.storage()).toBe(done);
    }));

  it("changes nothing when the patient's own transaction was first", () =>
    scene.rewinding(async () => {
      const message = await scene.next(act);
      const signature = await scene.sign(act, message);
      await scene.act(act, message);
      const done = await scene.storage();
      await scene.inTheSameSecond();
      expect(await scene.submit(act, message, signature)).toEqual([]);
      expect(await scene.storage()).toBe(done);
    }));

  it("is refused once something else was done since", () =>
    scene.rewinding(async () => {
      const message = await scene.next(act);
      const signature = await scene.sign(act, message);
      await scene.submit(act, message, signature);
      await scene.act(...undoing(act, message));
      await expect(scene.submit(act, message, signature)).rejects.toThrow(movedOn(message, 2));
    }));
});

describe.each(ACTS.filter((act) => act !== "RevokeAll"))("%s", (act) => {
  it("is refused when something else was done in its place", () =>
    scene.rewinding(async () => {
      const message = await scene.next(act);
      const signature = await scene.sign(act, message);
      await scene.act(...undoing(act, message), act === "Accept" ? "otherPatient" : "patient");
      await expect(scene.submit(act, message, signature)).rejects.toThrow(movedOn(message, 1));
    }));
});

describe.each(ACTS.filter((act) => act !== "Accept"))("%s", (act) => {
  it("is refused once the same was done again since: it counts as another", () =>
    scene.rewinding(async () => {
      const message = await scene.next(act);
      const signature = await scene.sign(act, message);
      await scene.submit(act, message, signature);
      await scene.act(act, message);
      await expect(scene.submit(act, message, signature)).rejects.toThrow(movedOn(message, 2));
    }));
});

/** What an act leads to at a time, and is then taken back. */
const doneAt = (time: bigint, story: () => Promise<unknown[]>) =>
  scene.rewinding(async () => {
    await scene.at(time);
    return { events: await story(), storage: await scene.storage() };
  });

/** What a patient does so that what was signed does not stand, or no longer. */
function undoing(act: Act, message: Message): [Act, Message] {
  const terms = { notBefore: 0, notAfter: 1, purposes: 1, actions: 1 };
  const others: Record<Act, [Act, Record<string, unknown>]> = {
    Grant: ["Revoke", {}],
    GrantBatch: ["RevokeBatch", {}],
    Revoke: ["Grant", terms],
    RevokeBatch: ["GrantBatch", terms],
    RevokeAll: ["RevokeAll", {}],
    NameGuardian: ["NameGuardian", { until: 0 }],
    HandOver: ["HandOver", { to: ZeroAddress }],
    Accept: ["HandOver", { to: ZeroAddress }],
  };
  const [other, bent] = others[act];
  return [other, { ...message, ...bent }];
}

/** How a signature is refused whose slot was written that often since. */
function movedOn({ nonce, nonces }: Message, writes: number): string {
  const [signed] = [nonce ?? nonces].flat();
  return `ConsentLedgerNonceMismatch(${signed}, ${Number(signed) + writes})`;
}
