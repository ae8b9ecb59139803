/** Many readers at once: nobody is refused, and nobody waits for all the others. `EXAMKEY_SOAK=1` has 200 of them for a minute. */
import { Wallet } from "ethers";
import { Client } from "undici";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { granteeOf } from "../../../protocol/ids.ts";
import { packTerms } from "../../../protocol/terms.ts";
import { until } from "../../world.ts";
import { missing, openScene, type Scene, SOAK } from "./scene.ts";

const BUDGET = SOAK ? { readers: 200, seconds: 60 } : { readers: 20, seconds: 3 };
const SIZE = { instances: 28, side: 724 };
const FRAME = SIZE.side * SIZE.side;

/** On a slow machine they go on until they had so many frames each, on average: fewer would say nothing of fairness. */
const LEAST_EACH = 9;

const TIMEOUT = (SOAK ? 10 : 2) * 60_000;

/** What one reader got: frames, and whatever was not a whole one. */
type Served = { frames: number; faults: string[] };

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

    /** One frame after the other, over a connection of the reader's own. */
    async function readFrames(token: string, first: number, goesOn: () => boolean): Promise<Served> {
      const served: Served = { frames: 0, faults: [] };
      const client = new Client(scene.url);
      for (let next = first; goesOn(); next += 1) {
        const instance = next % SIZE.instances;
        const fault = await faultOfFrame(client, token, instance);
        if (fault === null) served.frames += 1;
        else served.faults.push(fault);
      }
      await client.close();
      return served;
    }

    /** Null where the frame comes whole, each of its pixels being its instance's. */
    async function faultOfFrame(client: Client, token: string, instance: number): Promise<string | null> {
      const headers = {
        accept: "application/octet-stream; transfer-syntax=*",
        authorization: `Bearer ${token}`,
      };
      try {
        const path = `${scene.instances[instance]}/frames/1`;
        const { statusCode, body } = await client.request({ method: "GET", path, headers });
        const bytes = Buffer.from(await body.arrayBuffer());
        if (statusCode !== 200) return `${statusCode} ${bytes}`;
        return bytes.equals(Buffer.alloc(FRAME, instance)) ? null : `another frame than ${instance}`;
      } catch (error) {
        return String(error);
      }
    }

    test("get every frame whole, and none much fewer than the others", async () => {
      const end = performance.now() + BUDGET.seconds * 1_000;
      let asked = 0;
      const goesOn = () => {
        asked += 1;
        return performance.now() < end || asked <= LEAST_EACH * BUDGET.readers;
      };
      const served = await Promise.all(tokens.map((token, index) => readFrames(token, index, goesOn)));
      expect(served.flatMap(({ faults }) => faults)).toEqual([]);
      const frames = served.map((one) => one.frames).sort((a, b) => a - b);
      const [least = 0, median = 0] = [frames[0], frames[frames.length >> 1]];
      expect(least).toBeGreaterThanOrEqual(Math.floor(median / 3));
    });
  },
);
