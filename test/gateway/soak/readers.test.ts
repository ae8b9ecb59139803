/** Many readers at once: nobody is refused, and nobody waits for all the others. `EXAMKEY_SOAK=1` has 200 of them for a minute. */
import { fork } from "node:child_process";
import { once } from "node:events";
import { Wallet } from "ethers";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { granteeOf } from "../../../protocol/ids.ts";
import { packTerms } from "../../../protocol/terms.ts";
import { until } from "../../world.ts";
import type { Reading, Served } from "./crowd.ts";
import { missing, openScene, type Scene, SOAK } from "./scene.ts";

const BUDGET = SOAK ? { readers: 200, seconds: 60 } : { readers: 20, seconds: 3 };
const SIZE = { instances: 28, side: 724 };
const FRAME = SIZE.side * SIZE.side;

/** On a slow machine they go on until they had so many frames each, on average: fewer would say nothing of fairness. */
const LEAST_EACH = 9;

const TIMEOUT = (SOAK ? 10 : 2) * 60_000;

describe.skipIf(missing !== "")(
  `${BUDGET.readers} readers for ${BUDGET.seconds} s${missing}`,
  { timeout: TIMEOUT },
  () => {
    let scene: Scene;
    let tokens: string[];

    beforeAll(async () => {
      scene = await openScene(SIZE, { RATE_LIMIT_SIGN_INS: "1000" });
      const { world, examId } = scene;
      const wallets = Array.from(
        { length: BUDGET.readers },
        () => new Wallet(Wallet.createRandom().privateKey),
      );
      const terms = packTerms(world.terms());
      for (const { address } of wallets)
        await world.act("patient", "grant", [examId, granteeOf(address), terms]);
      tokens = [];
      for (const wallet of wallets) {
        const token = await signIn(wallet);
        await until("the reader is let in", async () => {
          return (await world.get(`${scene.instances[0]}/frames/1`, { token })).ok;
        });
        tokens.push(token);
      }
    }, TIMEOUT);
    afterAll(() => scene?.close());

    async function signIn(wallet: Wallet): Promise<string> {
      const answer = await scene.world.trySignIn(wallet);
      return ((await answer.json()) as { access_token: string }).access_token;
    }

    test("get every frame whole, and none much fewer than the others", async () => {
      const { url, instances } = scene;
      const frames = instances.map((instance) => `${instance}/frames/1`);
      const { seconds } = BUDGET;
      const served = await readAll({ url, tokens, frames, length: FRAME, seconds, leastEach: LEAST_EACH });
      expect(served.flatMap(({ faults }) => faults)).toEqual([]);
      const counts = served.map((one) => one.frames).sort((a, b) => a - b);
      const [least = 0, median = 0] = [counts[0], counts[counts.length >> 1]];
      expect(least).toBeGreaterThanOrEqual(Math.floor(median / 3));
    });
  },
);

async function readAll(reading: Reading): Promise<Served[]> {
  const crowd = fork("test/gateway/soak/crowd.ts");
  crowd.send(reading);
  const [served] = (await once(crowd, "message")) as [Served[]];
  return served;
}
