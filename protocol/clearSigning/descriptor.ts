/**
 * Descriptors by which a wallet shows in words what it signs (ERC-7730, version 2), made for one deployment from what is
 * hashed and called, so that neither can drift from the other.
 */
import { consentLedgerAbi } from "../abi/consentLedger.ts";
import type { Hex } from "../hash.ts";
import { ACT_TYPES, EMERGENCY_TYPES, emergencyDomain, typedDataDomain } from "../typedData.ts";
import { ACTS, type ActWords, EMERGENCIES, sentenceOver, wordsForFunction } from "./acts.ts";
import { ENUMS, type EnumName } from "./enums.ts";
import { type FieldFormat, fieldsOfCall, fieldsOfStruct, type Member, type NamedFormat } from "./fields.ts";

/** The version of the standard, as its documents name it. */
const SCHEMA = "https://eips.ethereum.org/assets/eip-7730/erc7730-v2.schema.json";

/** How one message or call is shown. */
export interface Format {
  intent: string;
  interpolatedIntent: string;
  fields: FieldFormat[];
}

/** Where a contract stands; the address with its checksum (EIP-55), as the standard wants it. */
export interface Deployment {
  chainId: number;
  address: Hex;
}

/** What a descriptor is for: messages of one EIP-712 domain, or calls of one contract. */
export type Context = { $id: string } & (
  | { eip712: { domain: { name: string; version: string }; deployments: Deployment[] } }
  | { contract: { deployments: Deployment[] } }
);

/** A descriptor, as its JSON is. */
export interface Descriptor {
  $schema: string;
  context: Context;
  metadata: {
    owner: string;
    contractName: string;
    info?: { url: string };
    enums: Partial<Record<EnumName, Readonly<Record<string, string>>>>;
  };
  display: { formats: Record<string, Format> };
}

/** Who stands behind a deployment, as a wallet shows it. */
export interface Publisher {
  owner: string;
  url?: string;
}

const OURSELVES: Publisher = { owner: "ExamKey" };

/** How wallets show what patients sign for a ledger: a file `eip712-….json` of a registry. */
export function eip712Descriptor(
  { chainId, consentLedger }: { chainId: number; consentLedger: Hex },
  publisher = OURSELVES,
): Descriptor {
  const { name, version } = typedDataDomain(chainId, consentLedger);
  const deployments = [{ chainId, address: consentLedger }];
  return {
    $schema: SCHEMA,
    context: { $id: "ConsentLedger messages", eip712: { domain: { name, version }, deployments } },
    metadata: metadata("ConsentLedger", publisher, ["actions", "purposes"]),
    display: { formats: messageFormats(ACT_TYPES, ACTS) },
  };
}

/** How wallets show what patients, and their guardians, send to a ledger: a file `calldata-….json` of a registry. */
export function calldataDescriptor(
  { chainId, consentLedger }: { chainId: number; consentLedger: Hex },
  publisher = OURSELVES,
): Descriptor {
  const deployments = [{ chainId, address: consentLedger }];
  return {
    $schema: SCHEMA,
    context: { $id: "ConsentLedger calls", contract: { deployments } },
    metadata: metadata("ConsentLedger", publisher, ["actions", "purposes"]),
    display: { formats: callFormats() },
  };
}

/** How wallets show what practitioners sign in an emergency: a file `eip712-….json` of a registry. */
export function emergencyDescriptor(
  { chainId, emergencyAccess }: { chainId: number; emergencyAccess: Hex },
  publisher = OURSELVES,
): Descriptor {
  const { name, version } = emergencyDomain(chainId, emergencyAccess);
  const deployments = [{ chainId, address: emergencyAccess }];
  return {
    $schema: SCHEMA,
    context: { $id: "EmergencyAccess messages", eip712: { domain: { name, version }, deployments } },
    metadata: metadata("EmergencyAccess", publisher, ["emergencyReasons"]),
    display: { formats: messageFormats(EMERGENCY_TYPES, EMERGENCIES) },
  };
}

/** EIP-712's `encodeType` for a struct of elementary types: what its type hash is taken of. */
export function encodeType(name: string, members: readonly Member[]): string {
  return `${name}(${members.map((member) => `${member.type} ${member.name}`).join(",")})`;
}

function metadata(
  contractName: string,
  { owner, url }: Publisher,
  enums: readonly EnumName[],
): Descriptor["metadata"] {
  return {
    owner,
    contractName,
    ...(url === undefined ? {} : { info: { url } }),
    enums: Object.fromEntries(enums.map((name) => [name, ENUMS[name]])),
  };
}

function messageFormats<Name extends string>(
  types: Readonly<Record<Name, readonly Member[]>>,
  words: Readonly<Record<Name, ActWords>>,
): Record<string, Format> {
  const formats: Record<string, Format> = {};
  for (const name in types) {
    formats[encodeType(name, types[name])] = formatOf(words[name], fieldsOfStruct(types[name]));
  }
  return formats;
}

function callFormats(): Record<string, Format> {
  const formats: Record<string, Format> = {};
  for (const item of consentLedgerAbi) {
    const words = item.type === "function" ? wordsForFunction(item.name) : null;
    if (item.type !== "function" || !words) continue;
    formats[fragment(item.name, item.inputs)] = formatOf(words, fieldsOfCall(item.inputs));
  }
  return formats;
}

/** A function as the standard wants it: canonical types with names, and tuples written out. */
function fragment(name: string, inputs: readonly Member[]): string {
  const written = ({ type, components }: Member) =>
    components ? type.replace("tuple", fragment("", components)) : type;
  return `${name}(${inputs.map((input) => `${written(input)} ${input.name}`).join(",")})`;
}

function formatOf({ intent, sentence }: ActWords, fields: readonly NamedFormat[]): Format {
  return {
    intent,
    interpolatedIntent: sentenceOver(sentence, fields),
    fields: fields.map(({ format }) => format),
  };
}
