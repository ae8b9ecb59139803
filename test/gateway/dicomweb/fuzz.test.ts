/**
 * Random requests to DICOMweb, in front of each archive, by readers who were granted one exam, or one series. In no answer
 * is a byte of the other's; none is a fault; behind each that permits stands a record in the audit.
 *
 * A request that breaks that is shrunk, and printed with the seed that made it. `EXAMKEY_DEEP=1` draws new ones, and more.
 */
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openDatabase } from "../../../gateway/database/database.ts";
import { decodeReceipt } from "../../../protocol/receipt.ts";
import { findOrthanc } from "../../orthanc.ts";
import { readLog } from "../readLog.ts";
import { requestOf } from "./payloads.ts";
import { sendRaw, statusesIn } from "./rawSocket.ts";
import { type Made, requests } from "./requests.ts";
import { openScene, type Scene, type Target } from "./strangersExam.ts";

const DEEP = process.env.EXAMKEY_DEEP === "1";
const RUNS = DEEP ? { numRuns: 20_000 } : { numRuns: 300, seed: 1 };
const MINUTES = 60_000;

describe.each([
  ["embedded", true],
  ["orthanc", findOrthanc() !== null],
] as const)("in front of the archive: %s (Orthanc needs Debian's packages)", (archive, installed) => {
  describe.skipIf(!installed)("whatever is asked", () => {
    let scene: Scene;
    let url: string;
    const statuses = new Set<number>();
    /** Numbers of the receipts that came with what was permitted. */
    const permits: string[] = [];

    beforeAll(async () => {
      scene = await openScene(archive);
      url = scene.world.gateway.url;
    });
    afterAll(() => scene.close());

    async function ask(target: Target, { method, path, headers }: Made): Promise<Buffer> {
      const host = new URL(url).host;
      const { own, other } = target;
      const aim = `/dicomweb/studies/${other.study}/series/${other.series}/metadata`;
      return sendRaw(
        url,
        requestOf(target, host, { method, path: path(own, other), headers: headers(aim, host) }),
      );
    }

    it("gives away nothing, and is no fault", { timeout: (DEEP ? 120 : 5) * MINUTES }, async () => {
      const property = fc.asyncProperty(
        requests,
        fc.constantFrom("exam", "series"),
        async (made, granted) => {
          const target = scene[granted];
          const answer = await ask(target, made);
          const given = statusesIn(answer);
          expect(target.sentinels.filter((sentinel) => answer.includes(sentinel))).toEqual([]);
          expect(given.length).toBeGreaterThan(0);
          expect(given.filter((status) => status >= 500)).toEqual([]);
          for (const status of given) statuses.add(status);
          if (given[0] === 200) permits.push(receiptOf(answer));
        },
      );
      await fc.assert(property, RUNS);
      // What was tried reached every kind of answer.
      expect([...statuses]).toEqual(expect.arrayContaining([200, 400, 403, 404, 405, 406]));
    });

    it("would give the other away, were it theirs", async () => {
      const found = new Set<number>();
      for (const made of fc.sample(requests, { numRuns: 1_000, seed: 1 })) {
        const answer = await ask({ ...scene.exam, token: scene.owners.exam }, made);
        for (const [index, sentinel] of scene.exam.sentinels.entries())
          if (answer.includes(sentinel)) found.add(index);
      }
      expect([...found].sort((a, b) => a - b)).toEqual([...scene.exam.sentinels.keys()]);
    });

    it("leaves the gateway at work, and a record of each permit", async () => {
      expect((await scene.world.get("/dicomweb/studies", { token: scene.exam.token })).status).toBe(200);
      await scene.world.stopGateway();
      const dataDir = scene.world.environment.DATA_DIR ?? "";
      const { database, close } = await openDatabase({ databaseUrl: null, dataDir });
      const recorded = (await readLog(database)).filter(({ reason }) => reason === "permitted");
      await close();
      const numbers = new Set(recorded.map(({ seq }) => String(seq)));
      expect(permits.length).toBeGreaterThan(40);
      expect(new Set(permits).size).toBe(permits.length);
      expect(permits.filter((number) => !numbers.has(number))).toEqual([]);
    });
  });
});

/** The number of an answer's receipt. @throws where there is none */
function receiptOf(answer: Buffer): string {
  const header = /^examkey-receipt: (\S+)/im.exec(answer.toString("latin1"))?.[1];
  if (header === undefined) throw new Error("What was permitted came without a receipt.");
  return String(decodeReceipt(header).sequence);
}
