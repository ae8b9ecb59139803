import { describe, expect, test } from "vitest";
import { GatewayError, ownProblem } from "../../app/api/index.ts";
import { type Renewed, renewalDue, type Session, Sessions } from "../../app/features/connect/sessions.ts";

const base = "https://gateway.example";
const address = "0x90F79bf6EB2c4f870365E785982E1f101E93b906";
const identity = { base, address, purpose: "TREAT" } as const;
const MINUTE = 60_000;

/** A clock that is moved by hand, and runs what falls due on the way. */
class Clock {
  now = 1_800_000_000_000;
  #due: { at: number; run: () => void }[] = [];

  later = (run: () => void, milliseconds: number) => {
    const entry = { at: this.now + milliseconds, run };
    this.#due.push(entry);
    return () => {
      this.#due = this.#due.filter((other) => other !== entry);
    };
  };

  async forward(milliseconds: number): Promise<void> {
    const end = this.now + milliseconds;
    for (;;) {
      const next = this.#due.filter(({ at }) => at <= end).sort((one, other) => one.at - other.at)[0];
      if (!next) break;
      this.#due = this.#due.filter((other) => other !== next);
      this.now = Math.max(this.now, next.at);
      next.run();
      // Lets the promises that the timer started settle.
      await new Promise(setImmediate);
    }
    this.now = end;
  }
}

class MemoryStorage {
  readonly items = new Map<string, string>();
  getItem = (key: string) => this.items.get(key) ?? null;
  setItem = (key: string, value: string) => void this.items.set(key, value);
}

function world(renew: (session: Session, count: number) => Promise<Renewed>) {
  const clock = new Clock();
  const storage = new MemoryStorage();
  const renewals: number[] = [];
  const revoked: string[] = [];
  const options = {
    storage,
    now: () => clock.now,
    later: clock.later,
    renew: (session: Session) => {
      renewals.push(clock.now);
      return renew(session, renewals.length);
    },
    revoke: async ({ token }: Session) => {
      revoked.push(token);
    },
  };
  return { clock, storage, renewals, revoked, options, sessions: new Sessions(options) };
}

const answer = (count: number) => Promise.resolve({ token: `token ${count}`, expiresIn: 900 });
const refuse = (reason: "session-ended" | "gateway-unreachable") =>
  Promise.reject(new GatewayError(ownProblem(reason)));

test("a renewal falls due after two thirds of a token's life", () => {
  expect(renewalDue({ issuedAt: 1000, expiresAt: 1000 + 15 * MINUTE })).toBe(1000 + 10 * MINUTE);
});

test("a token is renewed before it runs out, again and again, without being asked for", async () => {
  const { clock, sessions, renewals } = world((_, count) => answer(count));
  const began = clock.now;
  sessions.begin(identity, { token: "token 0", expiresIn: 900 });
  await clock.forward(35 * MINUTE);
  expect(renewals.map((at) => (at - began) / MINUTE)).toEqual([10, 20, 30]);
  expect(await sessions.token(base, address)).toBe("token 3");
});

test("a machine that slept past the renewal renews before the token is used, once for everybody who asks", async () => {
  const { clock, sessions, renewals } = world((_, count) => answer(count));
  sessions.begin(identity, { token: "token 0", expiresIn: 900 });
  clock.now += 14 * MINUTE + 50_000;
  const tokens = await Promise.all([1, 2, 3].map(() => sessions.token(base, address)));
  expect(tokens).toEqual(["token 1", "token 1", "token 1"]);
  expect(renewals).toHaveLength(1);
});

test("an unreachable gateway is asked again while the token lives, and no longer", async () => {
  const { clock, sessions, renewals } = world((_, count) =>
    count < 3 ? refuse("gateway-unreachable") : answer(count),
  );
  sessions.begin(identity, { token: "token 0", expiresIn: 900 });
  await clock.forward(11 * MINUTE);
  expect(await sessions.token(base, address)).toBe("token 3");
  expect(renewals).toHaveLength(3);

  const lost = world(() => refuse("gateway-unreachable"));
  lost.sessions.begin(identity, { token: "token 0", expiresIn: 900 });
  await lost.clock.forward(60 * MINUTE);
  expect(lost.sessions.get(base, address)).toBeNull();
});

describe("a session that the gateway ends", () => {
  test("is forgotten, and whoever watches is told", async () => {
    const { clock, sessions, storage } = world(() => refuse("session-ended"));
    let told = 0;
    sessions.subscribe(() => {
      told += 1;
    });
    sessions.begin(identity, { token: "token 0", expiresIn: 900 });
    await clock.forward(10 * MINUTE);
    expect(sessions.get(base, address)).toBeNull();
    expect(told).toBe(2);
    expect([...storage.items.values()]).toEqual(["[]"]);
    await expect(sessions.token(base, address)).rejects.toMatchObject({
      problem: { reason: "session-missing" },
    });
  });

  test("does not take along one that was begun in the meantime", async () => {
    let refuseNow: (error: Error) => void = () => undefined;
    const { clock, sessions } = world(
      () =>
        new Promise((_, reject) => {
          refuseNow = reject;
        }),
    );
    sessions.begin(identity, { token: "old", expiresIn: 900 });
    await clock.forward(10 * MINUTE);
    sessions.begin({ ...identity, purpose: "HRESCH" }, { token: "new", expiresIn: 900 });
    refuseNow(new GatewayError(ownProblem("session-ended")));
    await new Promise(setImmediate);
    expect(sessions.get(base, address)).toMatchObject({ token: "new", purpose: "HRESCH" });
  });
});

test("a tab that is reloaded keeps its sessions, but not those that ran out", async () => {
  const { clock, options, sessions } = world((_, count) => answer(count));
  sessions.begin(identity, { token: "token 0", expiresIn: 900 });
  sessions.begin({ ...identity, base: "https://other.example" }, { token: "short", expiresIn: 60 });
  clock.now += 2 * MINUTE;
  const reloaded = new Sessions(options);
  expect(reloaded.get(base, address)?.token).toBe("token 0");
  expect(reloaded.get("https://other.example", address)).toBeNull();
});

test("what is stored but makes no sense is left out", () => {
  const { options, storage } = world((_, count) => answer(count));
  for (const stored of ["{", "{}", '[{"base":1}]', "[null]"]) {
    storage.setItem("examkey.sessions", stored);
    expect(new Sessions(options).get(base, address)).toBeNull();
  }
});

test("one address's session is no other's; signing out ends all of an address at once, at their gateways too", () => {
  const { sessions, revoked } = world((_, count) => answer(count));
  const other = "0x15d34AAf54267DB7D7c367839AAf71A00a2C6A65";
  sessions.begin(identity, { token: "mine", expiresIn: 900 });
  sessions.begin({ ...identity, base: "https://other.example" }, { token: "mine too", expiresIn: 900 });
  sessions.begin({ ...identity, address: other }, { token: "theirs", expiresIn: 900 });
  expect(sessions.get(base, other)?.token).toBe("theirs");
  sessions.endAll(address);
  expect(sessions.get(base, address)).toBeNull();
  expect(sessions.get("https://other.example", address)).toBeNull();
  expect(revoked).toEqual(["mine", "mine too"]);
  expect(sessions.get(base, other)?.token).toBe("theirs");
});
