/** What is about to be signed, in plain words: the wallet's own reading of it, not the page's. */
import { type Address, formatEther, getAddress, type Hex, hexToString } from "viem";
import { parseSiweMessage } from "viem/siwe";
import type { Descriptor } from "../../../protocol/clearSigning/descriptor.ts";
import { nowSeconds, sameAddress, shortAddress } from "../../words/index.ts";
import {
  type Known,
  matchCall,
  matchTypedData,
  patientOf,
  type Reading,
  read,
  type TypedDataMatch,
  UnreadableError,
} from "../signing/index.ts";

/** What a page asks to have signed. */
export type Asked =
  | { kind: "message"; data: Hex }
  | { kind: "typed-data"; content: string; found: TypedDataMatch | UnreadableError }
  | { kind: "transaction"; chainId: number; to: Address | null; data: Hex; value: bigint };

/** A question to the person. */
export interface Request {
  /** What kind of thing it is. */
  title: string;
  /** An act of the ledger's, in words. */
  reading: Reading | null;
  /** What there is to say of anything else. */
  sentences: string[];
  /** Why to be careful with it, where the wallet cannot read it. */
  warning: string | null;
  /** Whether the person may say yes. */
  signable: boolean;
  /** The exact content, for whoever wants to see it. */
  raw: string;
}

/**
 * Reads typed data, once and for all: what is shown is what is then hashed, whatever the page does to its object.
 * @returns the error where the wallet must not sign it
 */
export function readTypedData(
  descriptors: readonly Descriptor[],
  typedData: unknown,
  from: Address,
): { kind: "typed-data"; content: string; found: TypedDataMatch | UnreadableError } {
  const content = typeof typedData === "string" ? typedData : jsonOf(typedData);
  try {
    const found = matchTypedData(descriptors, content);
    const patient = patientOf(found);
    if (patient === null || sameAddress(patient, from)) return { kind: "typed-data", content, found };
    throw new UnreadableError("It names another patient than the account that would sign.");
  } catch (error) {
    if (!(error instanceof UnreadableError)) throw error;
    return { kind: "typed-data", content, found: error };
  }
}

/** JSON, with integers of any size as their digits. */
function jsonOf(typedData: unknown): string {
  const digits = (_: string, value: unknown) => (typeof value === "bigint" ? value.toString() : value);
  return JSON.stringify(typedData, digits, 2) ?? "";
}

/** The question for something that a page wants signed by an account. */
export function describe(
  asked: Asked,
  { self, ...lights }: { self: string; descriptors: readonly Descriptor[]; known: Known },
): Request {
  const audience = { self: getAddress(self), known: lights.known, now: nowSeconds() };
  if (asked.kind === "message") return describeMessage(asked.data);
  if (asked.kind === "transaction") return describeTransaction(asked, lights.descriptors, audience);
  return describeTypedData(asked, audience);
}

type Audience = Parameters<typeof read>[1];

function describeMessage(data: Hex): Request {
  const message = hexToString(data);
  const question = { reading: null, signable: true, raw: message };
  const { domain, uri, statement } = parseSiweMessage(message);
  if (!domain) {
    const warning = "This is not a sign-in. Read it before you approve.";
    return { ...question, title: "Sign a message", sentences: [], warning };
  }
  const sentences = [`${domain} asks you to prove who you are to ${uri}.`, statement ?? ""].filter(Boolean);
  return { ...question, title: "Sign in", sentences, warning: null };
}

function describeTypedData(
  { content, found }: Extract<Asked, { kind: "typed-data" }>,
  audience: Audience,
): Request {
  if (found instanceof UnreadableError) {
    return {
      title: "Not to be signed",
      reading: null,
      sentences: [],
      warning: `A page asks for a signature that the developer wallet cannot put in words. ${found.message}`,
      signable: false,
      raw: content,
    };
  }
  const title = found.primaryType === "Emergency" ? "Sign in an emergency" : "Sign for the consent ledger";
  return {
    title,
    reading: read(found, audience),
    sentences: [],
    warning: null,
    signable: true,
    raw: content,
  };
}

function describeTransaction(
  { chainId, to, data, value }: Extract<Asked, { kind: "transaction" }>,
  descriptors: readonly Descriptor[],
  audience: Audience,
): Request {
  const question = {
    signable: true,
    raw: JSON.stringify({ to, value: value.toString(), data }, null, 2),
  };
  try {
    if (!to) throw new UnreadableError("It makes a new contract.");
    if (value !== 0n) throw new UnreadableError("It sends money, which no act of a patient’s does.");
    const reading = read(matchCall(descriptors, { chainId, to, data }), audience);
    return { ...question, title: "Write in the consent ledger", reading, sentences: [], warning: null };
  } catch (error) {
    if (!(error instanceof UnreadableError)) throw error;
    return {
      ...question,
      title: "Send a transaction",
      reading: null,
      sentences: [`To ${nameOf(to, audience.known)}, with ${formatEther(value)} ETH.`],
      warning: `The developer wallet does not know what it does. ${error.message}`,
    };
  }
}

function nameOf(to: Address | null, { people }: Known): string {
  if (!to) return "a new contract";
  return people.find(({ address }) => sameAddress(address, to))?.name ?? shortAddress(to);
}
