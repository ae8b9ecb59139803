/**
 * Whoever may read one exam, or one series, goes for another with every trick of the table, byte for byte, in front of
 * each archive: not one byte of the other is in any answer. Who may read one exam tries every trick, every day; who may
 * read one series every second one, and all of them with `EXAMKEY_DEEP=1`.
 */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { findOrthanc } from "../../orthanc.ts";
import { PAYLOADS, requestOf } from "./payloads.ts";
import { sendRaw, statusesIn } from "./rawSocket.ts";
import { openScene, type Scene, type Target } from "./strangersExam.ts";

const DEEP = process.env.EXAMKEY_DEEP === "1";
const ARCHIVES = [
  ["embedded", true],
  ["orthanc", findOrthanc() !== null],
] as const;
const GRANTS = ["exam", "series"] as const;

/** What is tried by whom. */
function payloadsOf(granted: (typeof GRANTS)[number]) {
  return DEEP || granted === "exam" ? PAYLOADS : PAYLOADS.filter((_, index) => index % 2 === 1);
}

/** What is given away in an answer: the number of the sentinel. */
function givenAway({ sentinels }: Target, answer: Buffer): number[] {
  return sentinels.flatMap((sentinel, index) => (answer.includes(sentinel) ? [index] : []));
}

describe.each(ARCHIVES)(
  "in front of the archive: %s (Orthanc needs Debian's packages)",
  (archive, installed) => {
    let scene: Scene;

    beforeAll(async () => {
      if (installed) scene = await openScene(archive);
    });
    afterAll(() => scene?.close());

    describe.skipIf(!installed).each(GRANTS)("who was granted one %s", (granted) => {
      let target: Target;
      let host: string;

      beforeAll(() => {
        target = scene[granted];
        host = new URL(scene.world.gateway.url).host;
      });

      const send = (bytes: string) => sendRaw(scene.world.gateway.url, bytes);
      const attack = async (as: Target, { bytes }: (typeof PAYLOADS)[number]) => send(bytes(as, host));

      it("has names for all that is tried", () => {
        expect(new Set(PAYLOADS.map(({ name }) => name)).size).toBe(PAYLOADS.length);
      });

      it("is given their own, with nothing of the other in it", async () => {
        const { study, series, instance } = target.own;
        const path = `/dicomweb/studies/${study}/series/${series}/instances/${instance}`;
        for (const below of ["", "/metadata", "/frames/1", "/rendered", "/thumbnail"]) {
          const answer = await send(requestOf(target, host, { path: `${path}${below}` }));
          expect([below, statusesIn(answer)]).toEqual([below, [200]]);
          expect([below, givenAway(target, answer)]).toEqual([below, []]);
        }
      });

      it("could find the other by this table, were it theirs", async () => {
        const owner = { ...target, token: scene.owners[granted] };
        const found = new Set<number>();
        for (const payload of PAYLOADS.filter(({ name }) => name.startsWith("the other's")))
          for (const index of givenAway(target, await attack(owner, payload))) found.add(index);
        expect([...found].sort((a, b) => a - b)).toEqual([...target.sentinels.keys()]);
      });

      it.each(payloadsOf(granted))("is given nothing of the other by $name", async (payload) => {
        const answer = await attack(target, payload);
        expect(givenAway(target, answer)).toEqual([]);
        const statuses = statusesIn(answer);
        expect(statuses.filter((status) => status >= 500)).toEqual([]);
      });

      it.each([
        ["malformed-request", "GET / HTTP/1.1\r\nno header\r\n\r\n"],
        ["malformed-request", "\x16\x03\x01\x00\xa5"],
        ["too-large", `GET /dicomweb/studies?${"A".repeat(100_000)} HTTP/1.1\r\nHost: a\r\n\r\n`],
      ])("is told %s of what is no request", async (reason, bytes) => {
        const answer = (await send(bytes)).toString("latin1");
        expect(answer).toMatch(/^content-type: application\/problem\+json\r$/im);
        expect(JSON.parse(answer.slice(answer.indexOf("\r\n\r\n")))).toMatchObject({ reason });
      });

      it("finds the gateway at work afterwards", async () => {
        const answer = await scene.world.get("/dicomweb/studies", { token: target.token });
        expect(answer.status).toBe(200);
      });
    });
  },
);
