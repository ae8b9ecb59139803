/**
 * One-time nonces for sign-in messages (EIP-4361).
 *
 * A nonce carries its own end and this gateway's mark (HMAC-SHA-256), so that whoever asks for nonces fills no table:
 * only those that somebody signed in with are stored, until they would have run out.
 */
import { createHmac, hkdfSync, randomBytes, timingSafeEqual } from "node:crypto";
import { lte } from "drizzle-orm";
import type { Database } from "../database/database.ts";
import { nonces } from "../database/schema.ts";
import { Problem } from "../problem.ts";

/** Seconds that a nonce may be used for: time enough to read a wallet's prompt. */
export const NONCE_LIFETIME = 300;

/** Digits of the end in seconds, of 96 random bits, and of the mark: EIP-4361 allows only letters and digits. */
const SHAPE = /^([0-9a-f]{8})[0-9a-f]{24}([0-9a-f]{32})$/;
const MARK_DIGITS = 32;

export class Nonces {
  readonly #database: Database;
  readonly #key: Uint8Array;

  /** @param secret shared by all gateways over one database, and by nobody else */
  constructor(database: Database, secret: string) {
    this.#database = database;
    this.#key = new Uint8Array(hkdfSync("sha256", secret, "", "examkey sign-in nonce", 32));
  }

  /** A new nonce. @param now seconds since 1970-01-01 UTC */
  give(now: number): string {
    const end = (now + NONCE_LIFETIME).toString(16).padStart(8, "0");
    const body = `${end}${randomBytes(12).toString("hex")}`;
    return `${body}${this.#markOf(body)}`;
  }

  /** Make sure that a nonce was given here and has not run out. @throws {Problem} `nonce-unknown` */
  check(nonce: string, now: number): void {
    const [, end = "", mark = ""] = SHAPE.exec(nonce) ?? [];
    const wanted = this.#markOf(nonce.slice(0, -MARK_DIGITS));
    const isOurs = mark !== "" && timingSafeEqual(Buffer.from(mark), Buffer.from(wanted));
    if (!isOurs || Number.parseInt(end, 16) <= now) throw new Problem("nonce-unknown");
  }

  /** Use up a nonce that was checked; of several who try at once, one succeeds. @throws {Problem} `nonce-unknown` */
  async use(nonce: string, now: number): Promise<void> {
    await this.#database.delete(nonces).where(lte(nonces.expiresAt, now));
    const used = await this.#database
      .insert(nonces)
      .values({ nonce, expiresAt: now + NONCE_LIFETIME })
      .onConflictDoNothing()
      .returning();
    if (used.length === 0) throw new Problem("nonce-unknown");
  }

  #markOf(body: string): string {
    return createHmac("sha256", this.#key).update(body).digest("hex").slice(0, MARK_DIGITS);
  }
}
