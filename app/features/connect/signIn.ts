import type { Address } from "viem";
import { createSiweMessage } from "viem/siwe";
import { nonceSchema, tokenSchema } from "../../../protocol/api.ts";
import { PURPOSE_URN, type Purpose } from "../../../protocol/terms.ts";
import { ask, askJson, type Gateway } from "../../api/index.ts";
import { purposeInWords } from "../../words/index.ts";
import type { Renewed, Session } from "./sessions.ts";

/** What a sign-in says. */
export interface SignIn {
  gateway: Pick<Gateway, "base" | "publicOrigin" | "name">;
  address: Address;
  chainId: number;
  purpose: Purpose;
}

/** The sentence that is signed, as the wallet will show it. */
export function statementOf({ gateway, purpose }: Pick<SignIn, "gateway" | "purpose">): string {
  const name = asciiOf(gateway.name);
  const words = asciiOf(purposeInWords(purpose).signIn);
  return `Sign in to ${name} with ExamKey. Purpose: ${words}. This costs nothing and gives nobody access to your exams.`;
}

/** An EIP-4361 statement holds no characters beyond printable ASCII (EIP-4361, "ABNF Message Format"). */
function asciiOf(text: string): string {
  return text
    .normalize("NFKD")
    .replaceAll("’", "'")
    .replaceAll(/[^\x20-\x7e]/g, "");
}

/** The message of a sign-in (EIP-4361). It names one purpose, as a resource. */
export function messageOf(
  signIn: SignIn,
  { nonce, domain, at }: { nonce: string; domain: string; at: Date },
): string {
  return createSiweMessage({
    version: "1",
    domain,
    address: signIn.address,
    statement: statementOf(signIn),
    uri: signIn.gateway.publicOrigin,
    chainId: signIn.chainId,
    nonce,
    issuedAt: at,
    resources: [`${PURPOSE_URN}${signIn.purpose}`],
  });
}

/**
 * Sign in: a nonce from the gateway, a signature from the wallet, a token for both.
 * @param sign Asks the wallet; its refusal passes through unchanged.
 */
export async function signIn(request: SignIn, sign: (message: string) => Promise<string>): Promise<Renewed> {
  const { base } = request.gateway;
  const { nonce } = await askJson(`${base}/auth/nonce`, nonceSchema, { method: "POST" });
  const message = messageOf(request, { nonce, domain: window.location.host, at: new Date() });
  const signature = await sign(message);
  const answer = await askJson(`${base}/auth/token`, tokenSchema, { body: { message, signature } });
  return { token: answer.access_token, expiresIn: answer.expires_in };
}

/** A new token for a present one, without the wallet. */
export async function renew(session: Session): Promise<Renewed> {
  const answer = await askJson(`${session.base}/auth/renew`, tokenSchema, {
    method: "POST",
    token: session.token,
  });
  return { token: answer.access_token, expiresIn: answer.expires_in };
}

/** End a session at its gateway, with every token of it (RFC 7009). */
export async function revoke({ base, token }: Session): Promise<void> {
  await ask(`${base}/auth/revoke`, { body: new URLSearchParams({ token }) });
}
