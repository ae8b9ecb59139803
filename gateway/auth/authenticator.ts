/** Finds out who is calling, and turns away who was refused too often. */
import type { FastifyRequest } from "fastify";
import type { Limits } from "../operations/limits.ts";
import { bearerOf, queryTokenOf } from "./bearer.ts";
import type { Token, Tokens } from "./tokens.ts";

export class Authenticator {
  readonly #tokens: Tokens;
  readonly #limits: Limits;

  constructor(tokens: Tokens, limits: Limits) {
    this.#tokens = tokens;
    this.#limits = limits;
  }

  /** The session's token in the header. @throws {Problem} `token-…`, `session-ended`, `too-many-requests` */
  session(request: FastifyRequest): Promise<Token> {
    return this.#recognise(request, async () => this.#tokens.read(bearerOf(request)));
  }

  /** The session's token in the header, or a viewer token in the query. @throws {Problem} as `session` */
  sessionOrViewer(request: FastifyRequest): Promise<Token> {
    return this.#recognise(request, async () => {
      const viewerToken = queryTokenOf(request);
      return viewerToken === null
        ? this.#tokens.read(bearerOf(request))
        : this.#tokens.readViewer(viewerToken);
    });
  }

  async #recognise(request: FastifyRequest, read: () => Promise<Token>): Promise<Token> {
    let token: Token;
    try {
      token = await read();
    } catch (error) {
      await this.#limits.requireFewRefusals(request);
      throw error;
    }
    await this.#limits.recognise(request, token.address);
    return token;
  }
}
