/** A whole act in words: by the descriptor's format, with the names that the app knows. */
import type { Hex } from "viem";
import type { Descriptor, Format } from "../../../protocol/clearSigning/descriptor.ts";
import { type FieldFormat, fieldOfPath } from "../../../protocol/clearSigning/fields.ts";
import { conjunction } from "../../../protocol/clearSigning/words.ts";
import type { Match } from "./match.ts";
import { type Audience, type Said, say, type Table } from "./say.ts";
import { isStruct, valuesAt } from "./values.ts";

/** What is shown before somebody signs. */
export interface Reading {
  /** What it is, in a few words. */
  intent: string;
  /** All of it in one sentence. */
  sentence: string;
  /** Each field by itself, in full. */
  fields: { label: string; values: string[] }[];
  /** What should make somebody stop: whatever has no name here, first of all. */
  warnings: string[];
}

/** A field, and what is in it. */
interface SaidField {
  format: FieldFormat;
  said: Said[];
}

/** The words for a match. @throws {UnreadableError} where the descriptor names what the data has not */
export function read(match: Match, audience: Omit<Audience, "patient">): Reading {
  const { format } = match;
  const toWhom = { ...audience, patient: patientOf(match) ?? audience.self };
  const fields = format.fields
    .filter(({ visible }) => visible !== "never")
    .map((field) => ({ format: field, said: sayField(field, match, toWhom) }));
  return {
    intent: format.intent,
    sentence: sentenceOf(format, fields),
    fields: fields.map(({ format: { label }, said }) => ({ label, values: said.map(({ full }) => full) })),
    warnings: fields.flatMap(warningsOf),
  };
}

/** Whose act it is, where the data says so: that of who signed it, or of whom a guardian acts for. */
export function patientOf({ data }: Match): Hex | null {
  const { patient = data.by && isStruct(data.by) ? data.by.patient : undefined } = data;
  return typeof patient === "string" ? patient : null;
}

function sayField(field: FieldFormat, { data, descriptor }: Match, audience: Audience): Said[] {
  const how = { name: fieldOfPath(field.path), format: field.format, table: tableOf(field, descriptor) };
  return valuesAt(data, field.path).map((value) => say(value, how, audience));
}

function tableOf({ params }: FieldFormat, { metadata }: Descriptor): Table | null {
  if (!params || !("$ref" in params)) return null;
  const found = Object.entries(metadata.enums).find(([name]) => params.$ref === `$.metadata.enums.${name}`);
  return found ? { name: found[0], words: found[1] } : null;
}

/** More than this many are counted in a sentence, not listed. */
const LISTED = 3;

/** The sentence, or, as the standard wants it, the intent alone where the sentence names what is not shown. */
function sentenceOf({ interpolatedIntent, intent }: Format, fields: readonly SaidField[]): string {
  const said = new Map(fields.map((field) => [`{${field.format.path}}`, briefOf(field.said)]));
  const parts = interpolatedIntent.split(/(\{[^{}]+\})/);
  if (parts.some((part) => part.startsWith("{") && !said.has(part))) return intent;
  const sentence = parts.map((part) => said.get(part) ?? part).join("");
  return sentence.charAt(0).toUpperCase() + sentence.slice(1);
}

function briefOf(said: readonly Said[]): string {
  if (said.length === 0) return "nothing";
  if (said.length <= LISTED) return conjunction(said.map(({ brief }) => brief));
  const wide = new Set(said.filter((one) => one.wide).map(({ brief }) => brief));
  const single = said.filter((one) => !one.wide).length;
  return conjunction([...wide, ...(single > 0 ? [`${single} exams or parts of exams`] : [])]);
}

/** Each warning of a field once, with how many of its values it is about. */
function warningsOf({ format: { label }, said }: SaidField): string[] {
  if (said.length === 0) return [`${label}: There is nothing in it.`];
  const counts = new Map<string, number>();
  for (const { warning } of said) if (warning) counts.set(warning, (counts.get(warning) ?? 0) + 1);
  return [...counts].map(([warning, count]) =>
    said.length === 1 ? `${label}: ${warning}` : `${label}, ${count} of ${said.length}: ${warning}`,
  );
}
