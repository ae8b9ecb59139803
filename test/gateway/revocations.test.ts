import { sql } from "drizzle-orm";
import Fastify from "fastify";
import { afterEach, expect, test, vi } from "vitest";
import { Revocations } from "../../gateway/auth/revocations.ts";
import { revocations as table } from "../../gateway/database/schema.ts";
import { openEmptyDatabase } from "../emptyDatabase.ts";

afterEach(() => {
  vi.restoreAllMocks();
});

test.each(["performance", "Date"] as const)(
  "what another gateway ended while this one was away is known when it is back, by %s",
  async (clock) => {
    const { database, close } = await openEmptyDatabase();
    const revocations = new Revocations(database, Fastify().log);
    const session = { sessionId: "ended-meanwhile", tokenId: "of-it" };
    await revocations.start();
    await revocations.check(session);
    await revocations.close();

    // It was away for ten minutes, and did not look once. PGlite goes by the wall clock of this process.
    const owner = clock === "Date" ? Date : performance;
    const now = owner.now.bind(owner);
    vi.spyOn(owner, "now").mockImplementation(() => now() + 600_000);
    const revokedAt = sql`now() - make_interval(mins => 9)`;
    const expiresAt = Math.floor(Date.now() / 1000) + 3_600;
    await database.insert(table).values({ id: session.sessionId, expiresAt, revokedAt });
    await revocations.start();
    await expect(revocations.check(session)).rejects.toMatchObject({ reason: "token-revoked" });

    await revocations.close();
    await close();
  },
);
