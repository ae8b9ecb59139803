/** `/auth`: nonce, token and renewal. */
import type { FastifyInstance } from "fastify";
import { tokenRequestSchema } from "../../protocol/api.ts";
import type { Hex } from "../../protocol/hash.ts";
import { Problem } from "../problem.ts";
import { bearerOf } from "./bearer.ts";
import { giveNonce } from "./nonces.ts";
import { beginSession, continueSession, type SessionContext } from "./sessions.ts";
import type { Session, Tokens } from "./tokens.ts";

export function registerAuthRoutes(app: FastifyInstance, context: SessionContext & { tokens: Tokens }): void {
  const { database, tokens } = context;

  app.post("/auth/nonce", async () => ({ nonce: await giveNonce(database, secondsNow()) }));

  app.post("/auth/token", async (request) => {
    const body = tokenRequestSchema.safeParse(request.body);
    if (!body.success) throw new Problem("malformed-request", "Send a message and its signature.");
    const signed = { message: body.data.message, signature: body.data.signature as Hex };
    return answer(await beginSession(context, signed, secondsNow()));
  });

  app.post("/auth/renew", async (request) => {
    const token = await tokens.read(bearerOf(request));
    return answer(await continueSession(context, token, secondsNow()));
  });

  /** RFC 6749, section 5.1. */
  async function answer(session: Session) {
    const { token, expiresIn } = await tokens.issue(session, secondsNow());
    return { access_token: token, token_type: "Bearer", expires_in: expiresIn };
  }
}

function secondsNow(): number {
  return Math.floor(Date.now() / 1000);
}
