/** The sign-in message: EIP-4361, with the purpose of use among its resources. */
import { parseSiweMessage } from "viem/siwe";
import type { Hex } from "../../protocol/hash.ts";
import { PURPOSE_URN, PURPOSES, type Purpose } from "../../protocol/terms.ts";
import { Problem } from "../problem.ts";
import type { Site } from "../site.ts";
import { NONCE_LIFETIME } from "./nonces.ts";

/**
 * The whole of a message, line by line (EIP-4361, "ABNF Message Format"). viem finds its fields in any text; but a
 * wallet warns of a page that asks for another site's sign-in only where it knows the text for one.
 */
const LINES = [
  /.+ wants you to sign in with your Ethereum account:\n0x[0-9a-fA-F]{40}\n\n(.+\n)?/,
  /\nURI: .+\nVersion: 1\nChain ID: \d+\nNonce: [a-zA-Z0-9]{8,}\nIssued At: .+/,
  /(\nExpiration Time: .+)?(\nNot Before: .+)?(\nRequest ID: .*)?(\nResources:(\n- .+)*)?/,
];
const WHOLE_MESSAGE = new RegExp(`^${LINES.map(({ source }) => source).join("")}$`);

/** Seconds by which a wallet's clock may be ahead of the gateway's. */
const CLOCK_SKEW = 60;

/** What a well-formed message that is meant for this gateway says. */
export type SignIn = { address: Hex; nonce: string; purpose: Purpose };

/**
 * Read a message and check everything in it but nonce and signature. viem parses; none of this does it check by itself.
 * @param now seconds since 1970-01-01 UTC
 * @throws {Problem} `message-malformed`, `wrong-domain`, `wrong-uri`, `wrong-chain`, `message-expired`
 */
export function readSignIn(
  text: string,
  { site, chainId, now }: { site: Site; chainId: number; now: number },
): SignIn {
  const message = parseSiweMessage(text);
  const { scheme, address, domain, uri, nonce, issuedAt, resources = [] } = message;
  if (!address || !domain || !uri || !nonce || !issuedAt || !message.chainId || !WHOLE_MESSAGE.test(text)) {
    throw new Problem("message-malformed");
  }
  const isOfOrigin = (origin: string) =>
    new URL(origin).host === domain && (!scheme || new URL(origin).protocol === `${scheme}:`);
  if (!site.origins.some(isOfOrigin)) throw new Problem("wrong-domain");
  if (!site.isOwn(uri)) throw new Problem("wrong-uri");
  if (message.chainId !== chainId) throw new Problem("wrong-chain");
  checkTimes({ issuedAt, notBefore: message.notBefore, expirationTime: message.expirationTime }, now);
  return { address: address.toLowerCase() as Hex, nonce, purpose: purposeOf(resources) };
}

type Times = { issuedAt: Date; notBefore: Date | undefined; expirationTime: Date | undefined };

function checkTimes({ issuedAt, notBefore, expirationTime }: Times, now: number): void {
  const secondsOf = (date: Date) => date.getTime() / 1000;
  // Comparisons with a date that cannot be read are false, so each asks for what must be true.
  const isFresh = secondsOf(issuedAt) > now - NONCE_LIFETIME && secondsOf(issuedAt) <= now + CLOCK_SKEW;
  const hasBegun = !notBefore || secondsOf(notBefore) <= now;
  const hasNotEnded = !expirationTime || secondsOf(expirationTime) > now;
  if (!isFresh || !hasBegun || !hasNotEnded) throw new Problem("message-expired");
}

function purposeOf(resources: readonly string[]): Purpose {
  const named = resources
    .filter((uri) => uri.startsWith(PURPOSE_URN))
    .map((uri) => uri.slice(PURPOSE_URN.length));
  const purpose = PURPOSES.find((known) => known === named[0]);
  if (named.length !== 1 || !purpose) {
    throw new Problem(
      "message-malformed",
      `The message must name exactly one purpose: ${PURPOSE_URN}TREAT or another.`,
    );
  }
  return purpose;
}
