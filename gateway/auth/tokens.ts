/** Tokens say who somebody is, where, and for what purpose; never what they may see. */
import { hash, randomUUID } from "node:crypto";
import { decodeJwt, errors, jwtVerify, SignJWT } from "jose";
import { z } from "zod";
import type { Hex } from "../../protocol/hash.ts";
import { PURPOSES, type Purpose } from "../../protocol/terms.ts";
import { Problem } from "../problem.ts";
import type { Site } from "../site.ts";
import type { Revocations } from "./revocations.ts";

/** Seconds that a token is good for. */
export const TOKEN_LIFETIME = 15 * 60;

/** Seconds that a viewer token is good for: the viewers that need one cannot renew it. */
export const VIEWER_TOKEN_LIFETIME = 60 * 60;

/** Seconds after the wallet's signature until which a session can be renewed. */
export const SESSION_LIFETIME = 8 * 60 * 60;

/** The two kinds, by the `typ` of their header: neither can stand in for the other. */
const SESSION_TOKEN = "at+jwt";
const VIEWER_TOKEN = "examkey-viewer+jwt";
type Kind = typeof SESSION_TOKEN | typeof VIEWER_TOKEN;

/** Above this many, all are forgotten: simpler than counting uses, and rare. */
const MOST_REMEMBERED = 10_000;

const claimsSchema = z.object({
  sub: z.string().regex(/^0x[0-9a-f]{40}$/),
  jti: z.string(),
  exp: z.int(),
  sid: z.string(),
  auth_time: z.int(),
  chain_id: z.int(),
  genesis_hash: z.string(),
  purpose: z.enum(PURPOSES),
  exam_id: z
    .string()
    .regex(/^0x[0-9a-f]{64}$/)
    .optional(),
});

type Claims = z.infer<typeof claimsSchema>;

/** A session that a wallet began. `signedInAt` in seconds since 1970-01-01 UTC. */
export type Session = { sessionId: string; address: Hex; purpose: Purpose; signedInAt: number };

/** What a valid token says. */
export type Token = Session & {
  tokenId: string;
  expiresAt: number;
  /** The one exam of a viewer token; null for a session's own. */
  examId: Hex | null;
};

/** A token as it is handed out. `expiresIn` in seconds. */
export type Issued = { token: string; expiresIn: number };

export type TokenContext = {
  site: Site;
  chainId: number;
  genesisHash: Hex;
  secret: string;
  revocations: Pick<Revocations, "check">;
};

export class Tokens {
  readonly #context: TokenContext;
  readonly #key: Uint8Array;
  readonly #known = new Map<string, Token>();

  constructor(context: TokenContext) {
    this.#context = context;
    this.#key = new TextEncoder().encode(context.secret);
  }

  /** A token for a session, never beyond the session's end. @param now seconds since 1970-01-01 UTC */
  issue(session: Session, now: number): Promise<Issued> {
    return this.#issue(SESSION_TOKEN, session, { now, lifetime: TOKEN_LIFETIME });
  }

  /** A token for one exam within a session, for viewers that take one in the address only. */
  issueViewer(session: Session, examId: Hex, now: number): Promise<Issued> {
    return this.#issue(VIEWER_TOKEN, session, { now, lifetime: VIEWER_TOKEN_LIFETIME, examId });
  }

  /**
   * What a session's token says, once it is known to be this gateway's, for this chain, and in force.
   * @throws {Problem} `token-malformed`, `token-foreign-gateway`, `token-foreign-chain`, `token-expired`,
   * `session-ended`, `token-revoked`
   */
  read(token: string): Promise<Token> {
    return this.#read(SESSION_TOKEN, token);
  }

  /** As `read`, for a viewer token. @throws {Problem} */
  readViewer(token: string): Promise<Token> {
    return this.#read(VIEWER_TOKEN, token);
  }

  async #issue(
    kind: Kind,
    session: Session,
    { now, lifetime, examId }: { now: number; lifetime: number; examId?: Hex },
  ): Promise<Issued> {
    const { site, chainId, genesisHash } = this.#context;
    const expiresAt = Math.min(now + lifetime, session.signedInAt + SESSION_LIFETIME);
    const claims = {
      sid: session.sessionId,
      auth_time: session.signedInAt,
      chain_id: chainId,
      genesis_hash: genesisHash,
      purpose: session.purpose,
      ...(examId && { exam_id: examId }),
    };
    const token = await new SignJWT(claims)
      .setProtectedHeader({ alg: "HS256", typ: kind })
      .setIssuer(site.url)
      .setAudience(site.url)
      .setSubject(session.address)
      .setJti(randomUUID())
      .setIssuedAt(now)
      .setExpirationTime(expiresAt)
      .sign(this.#key);
    return { token, expiresIn: expiresAt - now };
  }

  async #read(kind: Kind, text: string): Promise<Token> {
    const token = await this.#recognise(kind, text);
    await this.#context.revocations.check(token);
    return token;
  }

  /** What a token says. To verify a signature takes longer than a decision does, so that what was verified is remembered. */
  async #recognise(kind: Kind, text: string): Promise<Token> {
    // By digests: the memory of a process is no place for what lets people in.
    const key = hash("sha256", `${kind} ${text}`, "base64");
    const known = this.#known.get(key);
    if (known && known.expiresAt > Date.now() / 1000) return known;
    this.#known.delete(key);
    const token = await this.#verified(kind, text);
    if (this.#known.size >= MOST_REMEMBERED) this.#known.clear();
    this.#known.set(key, token);
    return token;
  }

  async #verified(kind: Kind, text: string): Promise<Token> {
    const claims = await this.#verify(kind, text);
    const { chainId, genesisHash } = this.#context;
    if (claims.chain_id !== chainId || claims.genesis_hash !== genesisHash) {
      throw new Problem("token-foreign-chain");
    }
    const token = {
      tokenId: claims.jti,
      sessionId: claims.sid,
      address: claims.sub as Hex,
      purpose: claims.purpose,
      signedInAt: claims.auth_time,
      expiresAt: claims.exp,
      examId: (claims.exam_id ?? null) as Hex | null,
    };
    // A viewer token without its exam would open all of them.
    if ((token.examId !== null) !== (kind === VIEWER_TOKEN)) throw new Problem("token-malformed");
    return token;
  }

  async #verify(kind: Kind, token: string): Promise<Claims> {
    const { url } = this.#context.site;
    try {
      const options = { algorithms: ["HS256"], typ: kind, issuer: url, audience: url };
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
