/** `/auth`: nonce, token and renewal. */
import type { FastifyInstance } from "fastify";
import { tokenRequestSchema } from "../../protocol/api.ts";
import type { Hex } from "../../protocol/hash.ts";
import type { Limits } from "../operations/limits.ts";
import { Problem } from "../problem.ts";
import type { Authenticator } from "./authenticator.ts";
import { beginSession, continueSession, type SessionContext } from "./sessions.ts";
import type { Issued, Tokens } from "./tokens.ts";

export type AuthContext = SessionContext & { tokens: Tokens; authenticator: Authenticator; limits: Limits };

export function registerAuthRoutes(app: FastifyInstance, context: AuthContext): void {
  const { nonces, tokens, authenticator, limits } = context;

  app.post("/auth/nonce", async (request) => {
    await limits.countSignIn(request);
    return { nonce: nonces.give(secondsNow()) };
  });

  app.post("/auth/token", async (request) => {
    await limits.countSignIn(request);
    const body = tokenRequestSchema.safeParse(request.body);
    if (!body.success) throw new Problem("malformed-request", "Send a message and its signature.");
    const signed = { message: body.data.message, signature: body.data.signature as Hex };
    const session = await beginSession(context, signed, secondsNow());
    return tokenAnswer(await tokens.issue(session, secondsNow()));
  });

  app.post("/auth/renew", async (request) => {
    const token = await authenticator.session(request);
    await limits.countSignIn(request);
    const session = await continueSession(context, token, secondsNow());
    return tokenAnswer(await tokens.issue(session, secondsNow()));
  });
}

/** RFC 6749, section 5.1. */
export function tokenAnswer({ token, expiresIn }: Issued) {
  return { access_token: token, token_type: "Bearer", expires_in: expiresIn };
}

export function secondsNow(): number {
  return Math.floor(Date.now() / 1000);
}
