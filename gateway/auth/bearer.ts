/** The bearer token of a request (RFC 6750). */
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
