import { setTimeout as delay } from "node:timers/promises";
import { afterEach, expect, test } from "vitest";
import { Rounds } from "../../gateway/operations/rounds.ts";

/** Longer than any test waits. */
const FOREVER = 3_600_000;

let rounds: Rounds;
let begun = 0;
let ended = 0;
let isBlocked = false;
let release: () => void = () => undefined;

/** Rounds with a pause that nobody waits for: each takes until it is released, where they are blocked. */
function goingRounds(pause = FOREVER): Rounds {
  begun = 0;
  ended = 0;
  isBlocked = false;
  rounds = new Rounds(async () => {
    begun += 1;
    if (isBlocked)
      await new Promise<void>((resolve) => {
        release = resolve;
      });
    ended += 1;
    return pause;
  });
  return rounds;
}

/** Until so many rounds were begun; the test's own limit ends the wait. */
async function untilBegun(count: number): Promise<void> {
  while (begun < count) await delay(1);
}

afterEach(async () => {
  release();
  await rounds.close();
});

test("go on by themselves, one after each pause", async () => {
  await goingRounds(1).start();
  expect(begun).toBeGreaterThan(0);
  await untilBegun(3);
});

test("do not begin by themselves where nobody started them", async () => {
  await goingRounds(1).now();
  await delay(20);
  expect(begun).toBe(1);
});

test("are never two at once: who asks for one joins the one under way, or waits for the next", async () => {
  goingRounds();
  isBlocked = true;
  const joined = [rounds.start(), rounds.now()];
  const next = rounds.anew();
  expect(begun).toBe(1);
  isBlocked = false;
  release();
  await Promise.all(joined);
  await next;
  expect([begun, ended]).toEqual([2, 2]);
});

test("follow at once where one was hurried, in a pause or in a round", async () => {
  await goingRounds().start();
  isBlocked = true;
  rounds.hurry();
  await untilBegun(2);
  rounds.hurry();
  isBlocked = false;
  release();
  await untilBegun(3);
});

test("end after the round under way", async () => {
  goingRounds(0);
  isBlocked = true;
  void rounds.start();
  const closed = rounds.close();
  expect(rounds.isEnding).toBe(true);
  rounds.hurry();
  release();
  await closed;
  expect(ended).toBe(1);
  await delay(20);
  expect(begun).toBe(1);
});
