/** Single values in words. What has no words, or should make somebody stop, comes with a warning. */
import { type Address, getAddress } from "viem";
import type { FieldFormat } from "../../../protocol/clearSigning/fields.ts";
import { ALL_EXAMS_RESOURCE, addressOfGrantee, examsAtResource } from "../../../protocol/ids.ts";
import { ACTIONS, maskToActions, maskToPurposes, PURPOSES } from "../../../protocol/terms.ts";
import {
  actionsInSentence,
  lookAlike,
  plainMoment,
  purposesInSentence,
  type Seconds,
  sameAddress,
  shortAddress,
} from "../../words/index.ts";
import type { Value } from "./values.ts";

/** Names that the app can vouch for. */
export interface Known {
  people: readonly { address: string; name: string }[];
  custodians: readonly { address: string; name: string }[];
  /** By resource: "the exam “MRI scan, brain” of 11 June 1996". */
  resources: ReadonlyMap<string, string>;
  /** Whom a blinded grantee stands for. */
  blinded: ReadonlyMap<string, string>;
}

/** Whose eyes it is said for, and when. */
export interface Audience {
  /** The account that signs. */
  self: Address;
  /** Whose exams it is about. */
  patient: Address;
  now: Seconds;
  known: Known;
}

/** A value in words. */
export interface Said {
  /** Inside a sentence. */
  brief: string;
  /** On a line of its own: the same, with what tells it from anything alike. */
  full: string;
  warning?: string;
  /** It takes in more than one exam: a sentence that only counts the rest still names it. */
  wide?: true;
}

/** A value in words, by its field's name and format. */
export function say(
  value: Value,
  { name, format, table }: { name: string; format: FieldFormat["format"]; table: Table | null },
  audience: Audience,
): Said {
  if (typeof value === "bigint") {
    if (format === "date") return sayMoment(value, name, audience.now);
    if (format === "enum" && table) return sayNumber(value, table);
  } else if (typeof value === "string") {
    if (format === "addressName") return sayAddress(getAddress(value), name, audience);
    if (name === "grantee" || name === "reader") return sayGrantee(value, audience);
    if (name === "resource" || name === "resources" || name === "examId") return sayResource(value, audience);
  }
  return { brief: String(value), full: String(value), warning: "There are no words for this value." };
}

/** A name from an archive or a registry, so that it can neither end its quotes nor hide what comes after it. */
export function quotable(name: string): string {
  const plain = name
    .replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}“”"]/gu, " ")
    .replaceAll(/\s+/g, " ")
    .trim();
  return plain.length > 80 ? `${plain.slice(0, 79)}…` : plain;
}

const ZERO = /^0x0+$/;

function sayAddress(address: Address, name: string, { self, known }: Audience): Said {
  if (ZERO.test(address)) return sayNobody(name);
  if (sameAddress(address, self)) return { brief: "you", full: `You, ${address}` };
  const all = [...known.people, ...known.custodians];
  const found = all.find((one) => sameAddress(one.address, address));
  if (found) return { brief: quotable(found.name), full: `${quotable(found.name)}, ${address}` };
  return { brief: shortAddress(address), full: address, warning: strangerWarning(address, all) };
}

function sayNobody(name: string): Said {
  if (name !== "to")
    return { brief: "nobody", full: "Nobody (the zero address)", warning: "This is nobody’s address." };
  return { brief: "nobody", full: "Nobody: this takes back an offer", warning: "It takes back an offer." };
}

function strangerWarning(address: Address, all: Known["people"]): string {
  const twin = lookAlike(
    address,
    all.map((one) => one.address),
  );
  const passedFor = all.find((one) => one.address === twin);
  if (!passedFor) return "Nobody here is known by this address. Compare all of it.";
  return `This address looks like that of ${quotable(passedFor.name)}, but it is another one.`;
}

function sayGrantee(word: string, audience: Audience): Said {
  if (ZERO.test(word)) return { brief: "nobody", full: word, warning: "It names nobody." };
  const address = addressOfGrantee(word);
  if (address) return sayAddress(getAddress(address), "grantee", audience);
  const name = audience.known.blinded.get(word);
  if (name !== undefined) return { brief: quotable(name), full: `${quotable(name)}, under the name ${word}` };
  return {
    brief: `somebody under a hidden name (${shortAddress(word)})`,
    full: word,
    warning: "This name is blinded, and nobody is known by it here.",
  };
}

function sayResource(word: string, { self, patient, known }: Audience): Said {
  const whose = sameAddress(self, patient) ? "your" : "their";
  if (word === ALL_EXAMS_RESOURCE) {
    const all = `all ${whose} exams, wherever they are, later ones too`;
    return { brief: all, full: all, warning: "This is everything, not one exam.", wide: true };
  }
  const custodian = known.custodians.find(({ address }) => examsAtResource(address) === word);
  if (custodian) {
    const all = `all ${whose} exams at ${quotable(custodian.name)}, later ones too`;
    return { brief: all, full: all, warning: "This is everything at one place, not one exam.", wide: true };
  }
  const name = known.resources.get(word);
  if (name !== undefined) return { brief: name, full: `${name} (${word})` };
  return {
    brief: `one of ${whose} exams (${shortAddress(word)})`,
    full: word,
    warning: "No exam is known by this number here: it may be one, a part of one, or all at one place.",
  };
}

/** Greater is no date of JavaScript's (ECMA-262, section 21.4.1.1). */
const LAST_DATE = 8_640_000_000_000n;
const HUNDRED_YEARS: Seconds = 100 * 366 * 24 * 3600;

function sayMoment(at: bigint, name: string, now: Seconds): Said {
  if (at > LAST_DATE) return { brief: `second ${at}`, full: `second ${at}`, warning: "This is no date." };
  const said = { brief: plainMoment(Number(at)), full: plainMoment(Number(at)) };
  if (Number(at) - now > HUNDRED_YEARS)
    return { ...said, warning: "This is more than a hundred years away." };
  if (name !== "notBefore" && Number(at) <= now) return { ...said, warning: "This moment has passed." };
  return said;
}

/** A table of a descriptor: its name, and the words by number. */
export interface Table {
  name: string;
  words: Readonly<Record<string, string>>;
}

/** Masks are said bit by bit: a descriptor's table has not every set of them. */
function sayNumber(value: bigint, { name, words }: Table): Said {
  if (name === "purposes")
    return sayMask(value, PURPOSES.length, purposesInSentence(maskToPurposes(Number(value))));
  if (name === "actions")
    return sayMask(value, ACTIONS.length, actionsInSentence(maskToActions(Number(value))));
  const word = Object.hasOwn(words, String(value)) ? words[String(value)] : undefined;
  if (word !== undefined) return { brief: word, full: word };
  return {
    brief: `number ${value}`,
    full: `number ${value}`,
    warning: "There are no words for this number.",
  };
}

function sayMask(mask: bigint, bits: number, known: string): Said {
  const unnamed = mask >> BigInt(bits);
  if (mask === 0n) return { brief: "nothing", full: "nothing", warning: "It names nothing." };
  if (unnamed === 0n) return { brief: known, full: known };
  const more = "something that has no name here";
  const all = known === "" ? more : `${known} and ${more}`;
  return { brief: all, full: `${all} (0x${mask.toString(16)})`, warning: `It also allows ${more}.` };
}
