/** A whole study on its way: what the gateway holds of it does not grow, whatever its caller does. `EXAMKEY_SOAK=1` takes 1 GB of it. */
import { get, type IncomingMessage } from "node:http";
import { text } from "node:stream/consumers";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { mostResident, residentBytes } from "../../../scripts/bench/gateway/memory.ts";
import { missing, openScene, type Scene, SOAK } from "./scene.ts";

/** Milliseconds, and bytes in a second. */
const BUDGET = SOAK
  ? { instances: 128, slow: 60_000, speed: 4e6, paused: 20_000, rounds: 2 }
  : { instances: 16, slow: 1_500, speed: 4e6, paused: 1_000, rounds: 1 };
const SIDE = 2_800;
const SIZE = BUDGET.instances * SIDE * SIDE;

/** Bytes that the gateway may come to hold. */
const MOST_GROWTH = 64e6;

/** Clients who go away at once. */
const GOERS = 8;

const TIMEOUT = (SOAK ? 20 : 4) * 60_000;

/** Told how many bytes were read, after each chunk: the next is read when it resolves, none when it throws. */
type Pace = (read: number) => Promise<void> | void;

class GoneAway extends Error {}

describe.skipIf(missing !== "")(`a whole study of ${SIZE / 1e6} MB${missing}`, { timeout: TIMEOUT }, () => {
  let scene: Scene;

  /** Retrieve it, or what is in it (WADO-RS), and count the bytes of the body. @throws where it does not come whole */
  async function retrieve(pace: Pace = () => undefined, path = scene.study): Promise<number> {
    // A token lasts a quarter of an hour, and all of this may take longer: each has a new one.
    scene.world.useGateway(scene.url);
    const headers = {
      accept: 'multipart/related; type="application/dicom"; transfer-syntax=*',
      authorization: `Bearer ${await scene.world.signIn("patient")}`,
    };
    const answer = await new Promise<IncomingMessage>((resolve, reject) => {
      get(`${scene.url}${path}`, { headers, agent: false }, resolve).on("error", reject);
    });
    if (answer.statusCode !== 200) throw new Error(`${answer.statusCode} ${await text(answer)}`);
    let read = 0;
    for await (const chunk of answer as AsyncIterable<Buffer>) {
      read += chunk.length;
      await pace(read);
    }
    return read;
  }

  async function growthWhile(work: () => Promise<unknown>): Promise<number> {
    const before = residentBytes([scene.pid]);
    return (await mostResident([scene.pid], work)).most - before;
  }

  /** Everything, and what multipart and DICOM put around pixels, which is little. */
  function expectWhole(read: number): void {
    expect(read).toBeGreaterThan(SIZE);
    expect(read).toBeLessThan(SIZE + BUDGET.instances * 2_048);
  }

  beforeAll(async () => {
    scene = await openScene({ instances: BUDGET.instances, side: SIDE });
    // Warm, by as many bytes: one instance after the other, so that nothing that holds a whole study passes for warmth.
    for (const instance of scene.instances) await retrieve(undefined, instance);
  }, TIMEOUT);
  afterAll(() => scene?.close());

  test("streams", async () => {
    const growth = await growthWhile(async () => expectWhole(await retrieve()));
    expect(growth).toBeLessThan(MOST_GROWTH);
  });

  test("streams to a client who is slow, and then takes nothing for a while", async () => {
    const growth = await growthWhile(async () => expectWhole(await retrieve(slowThenPaused())));
    expect(growth).toBeLessThan(MOST_GROWTH);
  });

  test("is let go of when clients go away half-way, and streams as before", async () => {
    const before = await scene.handlesAtRest();
    const growth = await growthWhile(async () => {
      for (let round = 0; round < BUDGET.rounds; round += 1) await Promise.all(everyGoer());
      expect(await scene.handlesAtRest()).toBeLessThanOrEqual(before);
      expectWhole(await retrieve());
    });
    expect(growth).toBeLessThan(MOST_GROWTH);
    expect(await scene.handlesAtRest()).toBeLessThanOrEqual(before);
  });

  /** Each goes a little later than the one before; the last, half-way. */
  function everyGoer(): Promise<void>[] {
    return Array.from({ length: GOERS }, async (_, index) => {
      const enough = (SIZE / 2) * ((index + 1) / GOERS);
      const goer = retrieve((read) => {
        if (read >= enough) throw new GoneAway();
      });
      await expect(goer).rejects.toThrow(GoneAway);
    });
  }
});

/** A few megabytes a second for a while, then nothing for a while, then as fast as it comes. */
function slowThenPaused(): Pace {
  const began = performance.now();
  let hasPaused = false;
  return async (read) => {
    const passed = performance.now() - began;
    if (passed < BUDGET.slow) await delay(Math.max(0, (read / BUDGET.speed) * 1_000 - passed));
    else if (!hasPaused) {
      hasPaused = true;
      await delay(BUDGET.paused);
    }
  };
}
