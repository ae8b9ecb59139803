/**
 * What the measured transactions carry. Ids, addresses and signatures have no zero byte, which is as dear as calldata gets,
 * so that no contract is cheap by luck. Dates are the same for all of them.
 */
import { type BytesLike, getBytes, type Signer, type TypedDataDomain, type TypedDataField } from "ethers";
import { packTerms } from "../../../protocol/terms.ts";

/** Whether anything in it is cheaper calldata than the rest. */
export function hasZeroByte(bytes: BytesLike): boolean {
  return getBytes(bytes).includes(0);
}

/** The same, once it is sure that none of its bytes is zero. @throws Error */
export function withoutZeroByte<T extends BytesLike>(bytes: T): T {
  if (hasZeroByte(bytes)) throw new Error(`${bytes} has a zero byte: measure with another.`);
  return bytes;
}

/** A word of one byte, 1 to 255, again and again. */
export function word(byte: number): `0x${string}` {
  return `0x${byte.toString(16).padStart(2, "0").repeat(32)}`;
}

/** Ten words, from the one of `first` on. */
export function tenWords(first: number): `0x${string}`[] {
  return Array.from({ length: 10 }, (_, index) => word(first + index));
}

/** An address of one byte, again and again: a token that is never called. */
export function wordAddress(byte: number): string {
  return word(byte).slice(0, 42);
}

/** Ten addresses, from the one of `first` on. */
export function tenAddresses(first: number): string[] {
  return tenWords(first).map((each) => each.slice(0, 42));
}

/** An allowance that needs few bytes, to the peers' advantage. */
export const AMOUNT = 1_000;

/** The period of every grant, in seconds since 1970-01-01 UTC: thirty days. */
export const PERIOD = { notBefore: 1_800_000_000, notAfter: 1_802_592_000 } as const;

/** The terms of every grant. */
export const TERMS = packTerms({ ...PERIOD, purposes: ["TREAT"], actions: ["VIEW", "DOWNLOAD"] });

/** Where `signedFrom` begins with deadlines. */
export const DEADLINE = 2_000_000_001;

/** What is signed as EIP-712 typed data, as ethers takes it. */
export type Typed = {
  domain: TypedDataDomain;
  types: Record<string, TypedDataField[]>;
  message: Record<string, unknown>;
};

/**
 * Signs with the first second from `since` on, be it a deadline or another date in the message, for which no signature has a
 * zero byte.
 */
export async function signedFrom(
  signers: readonly Signer[],
  since: number,
  typed: (second: number, signer: string) => Typed,
): Promise<{ second: number; signatures: string[] }> {
  for (let second = since; ; second += 1) {
    const signatures = await Promise.all(
      signers.map(async (signer) => {
        const { domain, types, message } = typed(second, await signer.getAddress());
        return signer.signTypedData(domain, types, message);
      }),
    );
    if (!signatures.some(hasZeroByte)) return { second, signatures };
  }
}
