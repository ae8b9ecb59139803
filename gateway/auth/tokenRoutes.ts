/** `/auth`: ending a session or a token (RFC 7009), asking about one (RFC 7662), and tokens for viewers. */
import { getAddress } from "ethers";
import type { FastifyInstance } from "fastify";
import { type Introspection, tokenParameterSchema, viewerTokenRequestSchema } from "../../protocol/api.ts";
import type { Hex } from "../../protocol/hash.ts";
import type { Limits } from "../operations/limits.ts";
import { Problem } from "../problem.ts";
import type { Site } from "../site.ts";
import type { Authenticator } from "./authenticator.ts";
import type { Revocations } from "./revocations.ts";
import { secondsNow, tokenAnswer } from "./routes.ts";
import { SESSION_LIFETIME, type Token, type Tokens } from "./tokens.ts";

export type TokenRoutesContext = {
  tokens: Tokens;
  authenticator: Authenticator;
  revocations: Revocations;
  limits: Limits;
  site: Site;
};

export function registerTokenRoutes(app: FastifyInstance, context: TokenRoutesContext): void {
  app.register(async (routes) => {
    // Both RFCs send forms; Fastify reads none by itself.
    routes.addContentTypeParser(
      "application/x-www-form-urlencoded",
      { parseAs: "string" },
      async (_request: unknown, form: string) => Object.fromEntries(new URLSearchParams(form)),
    );
    tokenRoutes(routes, context);
  });
}

function tokenRoutes(app: FastifyInstance, context: TokenRoutesContext): void {
  const { tokens, authenticator, revocations, limits } = context;

  /**
   * Whoever holds a token may end it: a viewer token by itself, a session's token with its session, since it is what the
   * session is renewed with (RFC 7009, section 2.1). What is no token, or none any more, needs no ending (section 2.2).
   */
  app.post("/auth/revoke", async (request) => {
    await limits.countSignIn(request);
    const token = await readEither(tokens, tokenParameterOf(request.body));
    if (token?.examId) await revocations.revoke(token.tokenId, token.expiresAt);
    else if (token) await revocations.revoke(token.sessionId, token.signedInAt + SESSION_LIFETIME);
    return {};
  });

  /** A session may ask about its own tokens: about anybody else's it learns nothing, not even that it exists. */
  app.post("/auth/introspect", async (request): Promise<Introspection> => {
    const caller = await authenticator.session(request);
    await limits.countSignIn(request);
    const token = await readEither(tokens, tokenParameterOf(request.body));
    return token?.sessionId === caller.sessionId ? describe(context, token) : { active: false };
  });

  /** A token for one exam. It grants nothing: what it opens is decided, as ever, when it is used. */
  app.post("/auth/viewer-token", async (request) => {
    const caller = await authenticator.session(request);
    await limits.countSignIn(request);
    const body = viewerTokenRequestSchema.safeParse(request.body);
    if (!body.success) throw new Problem("malformed-request", "Name the exam by its id.");
    return tokenAnswer(await tokens.issueViewer(caller, body.data.examId as Hex, secondsNow()));
  });
}

function tokenParameterOf(body: unknown): string {
  const parsed = tokenParameterSchema.safeParse(body);
  if (!parsed.success) throw new Problem("malformed-request", "Send a form with one token.");
  return parsed.data.token;
}

/** What a token of either kind says; null where it is none that is in force. @throws {Problem} `database-unavailable` */
async function readEither(tokens: Tokens, text: string): Promise<Token | null> {
  for (const read of [() => tokens.read(text), () => tokens.readViewer(text)]) {
    try {
      return await read();
    } catch (error) {
      if (!(error instanceof Problem) || error.status !== 401) throw error;
    }
  }
  return null;
}

function describe({ site }: TokenRoutesContext, token: Token): Introspection {
  return {
    active: true,
    iss: site.url,
    sub: getAddress(token.address),
    exp: token.expiresAt,
    jti: token.tokenId,
    purpose: token.purpose,
    exam_id: token.examId,
  };
}
