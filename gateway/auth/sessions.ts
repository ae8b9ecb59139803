/** Signing in with a wallet, and staying signed in without it. */
import { randomUUID } from "node:crypto";
import { eq, lte } from "drizzle-orm";
import type { PublicClient } from "viem";
import type { Hex } from "../../protocol/hash.ts";
import type { Database } from "../database/database.ts";
import { contractSessions } from "../database/schema.ts";
import { Problem, toProblem } from "../problem.ts";
import type { Site } from "../site.ts";
import { readSignIn } from "./message.ts";
import type { Nonces } from "./nonces.ts";
import type { Revocations } from "./revocations.ts";
import { checkSignature } from "./signature.ts";
import { SESSION_LIFETIME, type Session, type Token } from "./tokens.ts";

export type SessionContext = {
  database: Database;
  client: PublicClient;
  nonces: Nonces;
  revocations: Revocations;
  site: Site;
  chainId: number;
};

/**
 * Begin a session with a signed message (EIP-4361). @param now seconds since 1970-01-01 UTC
 * @throws {Problem} why not
 */
export async function beginSession(
  context: SessionContext,
  { message, signature }: { message: string; signature: Hex },
  now: number,
): Promise<Session> {
  const { database, client, nonces } = context;
  const { address, nonce, purpose } = readSignIn(message, { ...context, now });
  nonces.check(nonce, now);
  const signed = { address, message, signature };
  const signedWith = await checkSignature(client, signed);
  await nonces.use(nonce, now);
  const session = { sessionId: randomUUID(), address, purpose, signedInAt: now };
  if (signedWith === "contract") {
    await database.delete(contractSessions).where(lte(contractSessions.expiresAt, now));
    const kept = { ...signed, sessionId: session.sessionId, expiresAt: now + SESSION_LIFETIME };
    await database.insert(contractSessions).values(kept);
  }
  return session;
}

/**
 * Make sure that a session may go on. A contract wallet is asked again, since its owners may have changed; where it takes
 * its word back, all that was signed in with it ends.
 * @throws {Problem} `session-ended`, `signature-invalid`, `chain-unavailable`
 */
export async function continueSession(context: SessionContext, token: Token, now: number): Promise<Session> {
  if (now >= token.signedInAt + SESSION_LIFETIME) throw new Problem("session-ended");
  const [kept] = await context.database
    .select()
    .from(contractSessions)
    .where(eq(contractSessions.sessionId, token.sessionId));
  if (!kept) return token;
  try {
    await checkSignature(context.client, kept);
  } catch (error) {
    if (toProblem(error).reason === "signature-invalid")
      await context.revocations.revoke(kept.sessionId, kept.expiresAt);
    throw error;
  }
  return token;
}
