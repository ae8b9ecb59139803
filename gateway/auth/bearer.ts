/** The bearer token of a request (RFC 6750). */
import { timingSafeEqual } from "node:crypto";
import type { FastifyRequest } from "fastify";
import { Problem } from "../problem.ts";

/** @throws {Problem} `token-missing`, `token-malformed` */
export function bearerOf(request: Pick<FastifyRequest, "headers">): string {
  const header = request.headers.authorization;
  if (!header) throw new Problem("token-missing");
  const token = /^Bearer +([A-Za-z0-9\-._~+/]+=*)$/i.exec(header)?.[1];
  if (!token) throw new Problem("token-malformed");
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
