/** What is about to be signed, in plain words: the wallet's own reading of it, not the page's. */
import { type Address, decodeFunctionData, formatEther, getAddress, type Hex, hexToString } from "viem";
import { parseSiweMessage } from "viem/siwe";
import { consentLedgerAbi } from "../../../protocol/abi/consentLedger.ts";
import type { Persona } from "../../../protocol/api.ts";
import { unpackTerms } from "../../../protocol/terms.ts";
import {
  actionsInSentence,
  plainMoment,
  purposesInSentence,
  sameAddress,
  shortAddress,
} from "../../words/index.ts";

/** A question to the person. */
export interface Request {
  /** What kind of thing it is. */
  title: string;
  /** What it does, in a sentence or two. */
  sentences: string[];
  /** The exact content, for whoever wants to see it. */
  raw: string;
}

/** A message to sign. */
export function describeMessage(data: Hex): Request {
  const message = hexToString(data);
  const { domain, uri, statement } = parseSiweMessage(message);
  if (!domain)
    return {
      title: "Sign a message",
      sentences: ["This is not a sign-in. Read it before you approve."],
      raw: message,
    };
  return {
    title: "Sign in",
    sentences: [`${domain} asks you to prove who you are to ${uri}.`, statement ?? ""].filter(Boolean),
    raw: message,
  };
}

/** A transaction to sign and send. */
export function describeTransaction(
  transaction: { to: Address | null; data: Hex; value: bigint },
  { personas, consentLedger }: { personas: readonly Persona[]; consentLedger: Address },
): Request {
  const { to, data, value } = transaction;
  const raw = JSON.stringify({ to, value: value.toString(), data }, null, 2);
  const nameOf = (address: string) =>
    personas.find((persona) => sameAddress(persona.address, address))?.name ?? shortAddress(address);
  if (to && sameAddress(to, consentLedger) && value === 0n) {
    const sentences = ledgerCallInWords(data, nameOf);
    if (sentences) return { title: "Write in the consent ledger", sentences, raw };
  }
  return {
    title: "Send a transaction",
    sentences: [
      `To ${to ? nameOf(to) : "a new contract"}, with ${formatEther(value)} ETH.`,
      "The developer wallet does not know what it does.",
    ],
    raw,
  };
}

function ledgerCallInWords(data: Hex, nameOf: (address: string) => string): string[] | null {
  try {
    const { functionName, args } = decodeFunctionData({ abi: consentLedgerAbi, data });
    switch (functionName) {
      case "grant": {
        const [resource, grantee, word] = args;
        const terms = unpackTerms(word);
        const who = nameOf(addressOfGrantee(grantee));
        return [
          `${who} may ${actionsInSentence(terms.actions)} one of your exams (${shortAddress(resource)}), ${purposesInSentence(terms.purposes)}.`,
          `From ${plainMoment(terms.notBefore)} until ${plainMoment(terms.notAfter)}.`,
        ];
      }
      case "revoke": {
        const [resource, grantee] = args;
        return [
          `${nameOf(addressOfGrantee(grantee))} may no longer see one of your exams (${shortAddress(resource)}).`,
        ];
      }
      case "revokeAll":
        return ["Nobody but you may see any of your exams any more."];
      default:
        return null;
    }
  } catch {
    return null;
  }
}

/** The address in a grantee word: its last 20 bytes. */
function addressOfGrantee(grantee: Hex): Address {
  return getAddress(`0x${grantee.slice(-40)}`);
}
