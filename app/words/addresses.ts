/** Addresses, shown only where a name will not do. */
import { getAddress, isAddress } from "viem";

/** The head and tail of an address, enough to recognise one but never to verify it. */
export function shortAddress(address: string): string {
  return `${address.slice(0, 6)}…${address.slice(-4)}`;
}

/** An address in groups of four characters, so that it can be compared by eye. */
export function addressInGroups(address: string): string[] {
  return [address.slice(0, 2), ...(address.slice(2).match(/.{1,4}/g) ?? [])];
}

/** What a typed or pasted address turned out to be. */
export type AddressReading =
  | { kind: "empty" }
  | { kind: "not-an-address" }
  /** Well-formed, but without the mixed-case checksum (EIP-55), so that a mistyped digit would go unseen. */
  | { kind: "no-checksum" }
  | { kind: "wrong-checksum" }
  | { kind: "address"; address: `0x${string}` };

/** Read a pasted address. Only the checksummed form (EIP-55) is taken. */
export function readAddress(text: string): AddressReading {
  const typed = text.trim();
  if (typed === "") return { kind: "empty" };
  if (!/^0x[0-9a-fA-F]{40}$/.test(typed)) return { kind: "not-an-address" };
  const digits = typed.slice(2);
  if (digits === digits.toLowerCase() || digits === digits.toUpperCase()) {
    // An address of decimal digits alone has nothing to checksum.
    if (/[a-fA-F]/.test(digits)) return { kind: "no-checksum" };
  }
  if (!isAddress(typed, { strict: true })) return { kind: "wrong-checksum" };
  return { kind: "address", address: getAddress(typed) };
}

/**
 * The known address that `address` passes for: equal at both ends, where people look, yet another.
 * Address poisoning relies on it.
 */
export function lookAlike(address: string, known: readonly string[]): string | null {
  const ends = (value: string) => value.slice(2, 6).toLowerCase() + value.slice(-4).toLowerCase();
  const match = known.find(
    (other) => ends(other) === ends(address) && other.toLowerCase() !== address.toLowerCase(),
  );
  return match ?? null;
}

/** Whether two addresses are the same, however they are cased. */
export function sameAddress(one: string, other: string): boolean {
  return one.toLowerCase() === other.toLowerCase();
}
