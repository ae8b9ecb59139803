/** Where a request's token is (RFC 6750). */
import { timingSafeEqual } from "node:crypto";
import type { FastifyRequest } from "fastify";
import { Problem } from "../problem.ts";

/** The token in the `Authorization` header. @throws {Problem} `token-missing`, `token-malformed` */
export function bearerOf(request: Pick<FastifyRequest, "headers">): string {
  const header = request.headers.authorization;
  if (!header) throw new Problem("token-missing");
  const token = /^Bearer +([A-Za-z0-9\-._~+/]+=*)$/i.exec(header)?.[1];
  if (!token) throw new Problem("token-malformed");
  return token;
}

/**
 * The token in the query, for viewers that can put it nowhere else; null where there is none.
 * @throws {Problem} `malformed-request` where there are several, or one in the header too (RFC 6750, section 2)
 */
export function queryTokenOf({ headers, query }: Pick<FastifyRequest, "headers" | "query">): string | null {
  const token = (query as { token?: string | string[] }).token;
  if (token === undefined) return null;
  if (typeof token !== "string" || headers.authorization !== undefined) {
    throw new Problem("malformed-request", "Send one token, in one way.");
  }
  return token;
}

/**
 * Let nobody in but who has this very token: for servers on loopback, whose token is made anew by each process.
 * @throws {Problem} `token-missing`
 */
export function requireBearer({ headers }: Pick<FastifyRequest, "headers">, token: string): void {
  const given = Buffer.from(headers.authorization ?? "");
  const wanted = Buffer.from(`Bearer ${token}`);
  if (given.length !== wanted.length || !timingSafeEqual(given, wanted)) throw new Problem("token-missing");
}
