/** One-time nonces for sign-in messages (EIP-4361). */
import { randomBytes } from "node:crypto";
import { and, eq, gt, lte } from "drizzle-orm";
import type { Database } from "../database/database.ts";
import { nonces } from "../database/schema.ts";
import { Problem } from "../problem.ts";

/** Seconds that a nonce may be used for: time enough to read a wallet's prompt. */
export const NONCE_LIFETIME = 300;

/** A new nonce: 128 random bits in hexadecimal, as EIP-4361 allows only letters and digits. */
export async function giveNonce(database: Database, now: number): Promise<string> {
  await database.delete(nonces).where(lte(nonces.expiresAt, now));
  const nonce = randomBytes(16).toString("hex");
  await database.insert(nonces).values({ nonce, expiresAt: now + NONCE_LIFETIME });
  return nonce;
}

/** Use a nonce up, whatever comes of the sign-in. @throws {Problem} `nonce-unknown` */
export async function useNonce(database: Database, nonce: string, now: number): Promise<void> {
  const used = await database
    .delete(nonces)
    .where(and(eq(nonces.nonce, nonce), gt(nonces.expiresAt, now)))
    .returning();
  if (used.length === 0) throw new Problem("nonce-unknown");
}
