/** What is signed, decoded: numbers, words and addresses, lists and structs of them. */
import { getAddress, type Hex, isAddress, isHex, size } from "viem";

export type Value = bigint | Hex | Value[] | Struct;

/** Values by the names of their fields. */
export interface Struct {
  readonly [name: string]: Value;
}

/** What is to be signed cannot be told in words; the message says why, to a person. */
export class UnreadableError extends Error {
  override readonly name = "UnreadableError";
}

/** A value of typed data, as JSON carries it. @throws {UnreadableError} for what is none of its type */
export function valueOfJson(type: string, given: unknown): Value {
  if (type.endsWith("[]")) {
    if (!Array.isArray(given)) throw new UnreadableError(`A list (${type}) is missing.`);
    return given.map((one) => valueOfJson(type.slice(0, -2), one));
  }
  if (type === "address" && typeof given === "string" && isAddress(given)) return getAddress(given);
  if (type === "bytes32" && isHex(given) && size(given) === 32) return toLower(given);
  const width = /^uint(\d+)$/.exec(type)?.[1];
  const integer = width === undefined ? null : integerOf(given);
  if (integer !== null && integer < 1n << BigInt(Number(width))) return integer;
  throw new UnreadableError(`A value is not what its type (${type}) says.`);
}

function integerOf(given: unknown): bigint | null {
  if (typeof given === "bigint") return given >= 0n ? given : null;
  if (typeof given === "number") return Number.isSafeInteger(given) && given >= 0 ? BigInt(given) : null;
  if (typeof given === "string" && /^(\d{1,78}|0x[0-9a-fA-F]{1,64})$/.test(given)) return BigInt(given);
  return null;
}

/** A value of a call, as viem decodes it. @throws {UnreadableError} for kinds that no act has */
export function valueOfCall(decoded: unknown): Value {
  if (typeof decoded === "bigint") return decoded;
  if (typeof decoded === "number") return BigInt(decoded);
  if (isHex(decoded)) return isAddress(decoded) ? getAddress(decoded) : toLower(decoded);
  if (Array.isArray(decoded)) return decoded.map(valueOfCall);
  if (typeof decoded === "object" && decoded !== null) {
    return Object.fromEntries(Object.entries(decoded).map(([name, value]) => [name, valueOfCall(value)]));
  }
  throw new UnreadableError("A value is of a kind that has no words.");
}

function toLower(word: Hex): Hex {
  return `0x${word.slice(2).toLowerCase()}`;
}

/**
 * The values at a path of ERC-7730: names, `[]` for all elements of a list, `[a:b]` for bytes of a 32-byte integer.
 * @throws {UnreadableError} where the data has nothing there
 */
export function valuesAt(data: Struct, path: string): Value[] {
  return path
    .split(".")
    .reduce<Value[]>((values, step) => values.flatMap((value) => stepInto(value, step)), [data]);
}

function stepInto(value: Value, step: string): Value[] {
  const slice = /^\[(\d+):(\d+)\]$/.exec(step);
  if (step === "[]" && Array.isArray(value)) return value;
  if (slice && typeof value === "bigint") return [bytesOf(value, Number(slice[1]), Number(slice[2]))];
  const member = isStruct(value) ? value[step] : undefined;
  if (member === undefined) throw new UnreadableError(`Nothing is at ${step}.`);
  return [member];
}

/** Whether a value has fields of its own. */
export function isStruct(value: Value): value is Struct {
  return typeof value === "object" && !Array.isArray(value);
}

/** Bytes of a 32-byte word, counted from the most significant; `end` is not included. */
function bytesOf(word: bigint, start: number, end: number): bigint {
  return BigInt(
    `0x${word
      .toString(16)
      .padStart(64, "0")
      .slice(2 * start, 2 * end)}`,
  );
}
