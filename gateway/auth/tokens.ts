/** Tokens say who somebody is, where, and for what purpose; never what they may see. */
import { randomUUID } from "node:crypto";
import { decodeJwt, errors, jwtVerify, SignJWT } from "jose";
import { z } from "zod";
import type { Hex } from "../../protocol/hash.ts";
import { PURPOSES, type Purpose } from "../../protocol/terms.ts";
import { Problem } from "../problem.ts";
import type { Site } from "../site.ts";

/** Seconds that a token is good for. */
export const TOKEN_LIFETIME = 15 * 60;

/** Seconds after the wallet's signature until which a session can be renewed. */
export const SESSION_LIFETIME = 8 * 60 * 60;

const claimsSchema = z.object({
  sub: z.string().regex(/^0x[0-9a-f]{40}$/),
  jti: z.string(),
  exp: z.int(),
  sid: z.string(),
  auth_time: z.int(),
  chain_id: z.int(),
  genesis_hash: z.string(),
  purpose: z.enum(PURPOSES),
});

/** A session that a wallet began. `signedInAt` in seconds since 1970-01-01 UTC. */
export type Session = { sessionId: string; address: Hex; purpose: Purpose; signedInAt: number };

/** What a valid token says. */
export type Token = Session & { tokenId: string; expiresAt: number };

export type TokenContext = { site: Site; chainId: number; genesisHash: Hex; secret: string };

export class Tokens {
  readonly #context: TokenContext;
  readonly #key: Uint8Array;

  constructor(context: TokenContext) {
    this.#context = context;
    this.#key = new TextEncoder().encode(context.secret);
  }

  /** A token for a session, never beyond the session's end. @param now seconds since 1970-01-01 UTC */
  async issue(session: Session, now: number): Promise<{ token: string; expiresIn: number }> {
    const { site, chainId, genesisHash } = this.#context;
    const expiresAt = Math.min(now + TOKEN_LIFETIME, session.signedInAt + SESSION_LIFETIME);
    const claims = {
      sid: session.sessionId,
      auth_time: session.signedInAt,
      chain_id: chainId,
      genesis_hash: genesisHash,
      purpose: session.purpose,
    };
    const token = await new SignJWT(claims)
      .setProtectedHeader({ alg: "HS256", typ: "at+jwt" })
      .setIssuer(site.url)
      .setAudience(site.url)
      .setSubject(session.address)
      .setJti(randomUUID())
      .setIssuedAt(now)
      .setExpirationTime(expiresAt)
      .sign(this.#key);
    return { token, expiresIn: expiresAt - now };
  }

  /**
   * What a token says, once it is known to be this gateway's, for this chain, and in force.
   * @throws {Problem} `token-malformed`, `token-foreign-gateway`, `token-foreign-chain`, `token-expired`, `session-ended`
   */
  async read(token: string): Promise<Token> {
    const claims = await this.#verify(token);
    const { chainId, genesisHash } = this.#context;
    if (claims.chain_id !== chainId || claims.genesis_hash !== genesisHash) {
      throw new Problem("token-foreign-chain");
    }
    return {
      tokenId: claims.jti,
      sessionId: claims.sid,
      address: claims.sub as Hex,
      purpose: claims.purpose,
      signedInAt: claims.auth_time,
      expiresAt: claims.exp,
    };
  }

  async #verify(token: string): Promise<z.infer<typeof claimsSchema>> {
    const { url } = this.#context.site;
    try {
      const options = { algorithms: ["HS256"], typ: "at+jwt", issuer: url, audience: url };
      const { payload } = await jwtVerify(token, this.#key, options);
      return claimsSchema.parse(payload);
    } catch (cause) {
      if (cause instanceof errors.JWTExpired) throw expiredProblem(cause);
      const isForeign = isIssuedElsewhere(token, url);
      throw new Problem(isForeign ? "token-foreign-gateway" : "token-malformed", undefined, { cause });
    }
  }
}

/** A token that has expired, and cannot be had anew without the wallet once its session is over. */
function expiredProblem(cause: errors.JWTExpired): Problem {
  const signedInAt = Number(cause.payload.auth_time);
  const isOver = Date.now() / 1000 >= signedInAt + SESSION_LIFETIME;
  return new Problem(isOver ? "session-ended" : "token-expired", undefined, { cause });
}

/** What an unverified token says of its issuer; only to tell one refusal from another. */
function isIssuedElsewhere(token: string, url: string): boolean {
  try {
    const { iss } = decodeJwt(token);
    return iss !== undefined && iss !== url;
  } catch {
    return false;
  }
}
