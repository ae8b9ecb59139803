/** Which descriptor, and which of its formats, speaks for something that is to be signed. */
import {
  type AbiFunction,
  type Address,
  decodeFunctionData,
  encodeFunctionData,
  type Hex,
  parseAbiItem,
  toFunctionSelector,
} from "viem";
import { z } from "zod";
import {
  type Deployment,
  type Descriptor,
  encodeType,
  type Format,
} from "../../../protocol/clearSigning/descriptor.ts";
import { sameAddress } from "../../words/index.ts";
import { type Struct, UnreadableError, valueOfCall, valueOfJson } from "./values.ts";

/** What is to be signed, decoded, and the format that says it in words. */
export interface Match {
  descriptor: Descriptor;
  format: Format;
  data: Struct;
}

/** Typed data that has a format: exactly what is hashed, whatever else the request said. */
export interface TypedDataMatch extends Match {
  domain: { name: string; version: string; chainId: number; verifyingContract: Hex };
  primaryType: string;
  members: { name: string; type: string }[];
}

/** A domain with more members than these is another one, whatever they say. */
const typedDataSchema = z.object({
  domain: z.strictObject({
    name: z.string(),
    version: z.string(),
    chainId: z.union([z.number(), z.string(), z.bigint()]),
    verifyingContract: z.string(),
  }),
  primaryType: z.string(),
  types: z.record(z.string(), z.array(z.object({ name: z.string(), type: z.string() }))),
  message: z.record(z.string(), z.unknown()),
});

/**
 * Finds the words for typed data (`eth_signTypedData_v4`), which comes as an object or as its JSON.
 * @throws {UnreadableError} unless a descriptor is for its domain, and has a format for its type
 */
export function matchTypedData(descriptors: readonly Descriptor[], request: unknown): TypedDataMatch {
  const read = typedDataSchema.safeParse(typeof request === "string" ? parseJson(request) : request);
  if (!read.success) throw new UnreadableError("It is not typed data as ExamKey’s contracts take it.");
  const { primaryType, types, message } = read.data;
  const { name, version, chainId, verifyingContract } = read.data.domain;
  for (const descriptor of descriptors) {
    if (!("eip712" in descriptor.context)) continue;
    const { domain, deployments } = descriptor.context.eip712;
    const at = find(deployments, { chainId: Number(chainId), address: verifyingContract });
    if (!at || domain.name !== name || domain.version !== version) continue;
    const members = types[primaryType] ?? [];
    const format = descriptor.display.formats[encodeType(primaryType, members)];
    if (!format) throw new UnreadableError("It is of a kind that this contract does not know.");
    const values = members.map((member) => [member.name, valueOfJson(member.type, message[member.name])]);
    return {
      descriptor,
      format,
      data: Object.fromEntries(values),
      domain: { name, version, chainId: at.chainId, verifyingContract: at.address },
      primaryType,
      members,
    };
  }
  throw new UnreadableError("It is not for ExamKey’s contracts on this network.");
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function find(deployments: readonly Deployment[], wanted: { chainId: number; address: string }) {
  return deployments.find(
    ({ chainId, address }) => chainId === wanted.chainId && sameAddress(address, wanted.address),
  );
}

/** A call of a contract. */
export interface Call {
  chainId: number;
  to: Address;
  data: Hex;
}

/**
 * Finds the words for a call.
 * @throws {UnreadableError} unless a descriptor is for the contract, and has a format for all of the data
 */
export function matchCall(descriptors: readonly Descriptor[], { chainId, to, data }: Call): Match {
  const descriptor = descriptors.find(
    ({ context }) => "contract" in context && find(context.contract.deployments, { chainId, address: to }),
  );
  if (!descriptor) throw new UnreadableError("It is not for ExamKey’s contracts.");
  const selector = data.slice(0, 10).toLowerCase();
  for (const [fragment, format] of Object.entries(descriptor.display.formats)) {
    const item = parseAbiItem(`function ${fragment}`);
    if (item.type !== "function" || toFunctionSelector(item) !== selector) continue;
    return { descriptor, format, data: argumentsOf(item, data) };
  }
  throw new UnreadableError("It calls a function that is no act of a patient’s.");
}

/** The arguments by name. What decodes to the same in another encoding is not taken: nothing may hide beside what is shown. */
function argumentsOf(item: AbiFunction, data: Hex): Struct {
  const args = decoded(item, data);
  const again = encodeFunctionData({ abi: [item], functionName: item.name, args });
  if (again !== data.toLowerCase()) throw new UnreadableError("It carries more than the act that it names.");
  return Object.fromEntries(item.inputs.map(({ name }, index) => [name ?? "", valueOfCall(args[index])]));
}

function decoded(item: AbiFunction, data: Hex): readonly unknown[] {
  try {
    return decodeFunctionData({ abi: [item], data }).args ?? [];
  } catch (cause) {
    throw new UnreadableError("Its data cannot be decoded.", { cause });
  }
}
