/**
 * How each field of what is signed is shown, or why it is not. One name means the same in every act, so each is said
 * once; the order here is the order on the screen.
 */
import type { ACT_TYPES, Act, EMERGENCY_TYPES } from "../typedData.ts";
import type { EnumName } from "./enums.ts";

/** A field format of ERC-7730, in the part of the standard that is used here. */
export interface FieldFormat {
  /** Why it is not shown, for whoever reads the file. */
  $id?: string;
  path: string;
  label: string;
  format: "raw" | "addressName" | "date" | "enum";
  params?: { encoding: "timestamp" } | { $ref: `$.metadata.enums.${EnumName}` };
  visible?: "never";
}

/** A format, and the name of the field that it shows: the path of a term within its word does not tell it. */
export interface NamedFormat {
  name: string;
  format: FieldFormat;
}

type Shown = Omit<FieldFormat, "path" | "$id" | "visible">;
type Hidden = { label: string; why: string };

/** The name of a field that somebody signs. */
type SignedField =
  | (typeof ACT_TYPES)[Act][number]["name"]
  | (typeof EMERGENCY_TYPES)["Emergency"][number]["name"];

const raw = (label: string): Shown => ({ label, format: "raw" });
const address = (label: string): Shown => ({ label, format: "addressName" });
const date = (label: string): Shown => ({ label, format: "date", params: { encoding: "timestamp" } });
const named = (label: string, table: EnumName): Shown => ({
  label,
  format: "enum",
  params: { $ref: `$.metadata.enums.${table}` },
});

/** A grantee stays raw: one that is blinded is no address, and must not look like one. */
const SIGNED: Readonly<Record<SignedField, Shown | Hidden>> = {
  grantee: raw("With"),
  reader: raw("Reader"),
  guardian: address("Guardian"),
  actions: named("They may", "actions"),
  resource: raw("What"),
  resources: raw("What"),
  examId: raw("Exam"),
  to: address("To"),
  purposes: named("Why", "purposes"),
  reason: named("Because", "emergencyReasons"),
  notBefore: date("From"),
  notAfter: date("Until"),
  until: date("Until"),
  patient: { label: "Patient", why: "The signer: the signature of anybody else is worth nothing." },
  deadline: date("Signature valid until"),
  nonce: { label: "Nonce", why: "Ties the signature to one use, and says nothing else." },
  nonces: { label: "Nonces", why: "Tie the signature to one use, and say nothing else." },
  epoch: {
    label: "Epoch",
    why: "Ends the signature with the patient's next revoke of all, and says nothing else.",
  },
  badge: { label: "Badge", why: "The signer: the signature of anybody else is worth nothing." },
  count: { label: "Count", why: "Ties the signature to one use, and says nothing else." },
};

const BY_NAME: ReadonlyMap<string, Shown | Hidden> = new Map(Object.entries(SIGNED));

/** What a call shows otherwise: a guardian acts for somebody else, and anybody may send what a patient signed. */
const IN_CALLS: ReadonlyMap<string, Shown | Hidden> = new Map([
  ...BY_NAME,
  ["patient", address("In the name of")],
  ["signature", { label: "Signature", why: "The ledger checks it against all that is shown." }],
]);

/** The bytes of each term in the word that `terms.ts` draws, counted from the most significant. */
const TERMS: ReadonlyMap<string, SignedField> = new Map([
  ["[16:18]", "actions"],
  ["[18:22]", "purposes"],
  ["[27:32]", "notBefore"],
  ["[22:27]", "notAfter"],
]);

const ABOVE_TERMS: Hidden = { label: "Above the terms", why: "The ledger refuses terms with anything here." };

/** A member of a struct, or a parameter of a function. */
export interface Member {
  name: string;
  type: string;
  components?: readonly Member[];
}

/** The formats of an EIP-712 struct's fields. @throws {TypeError} for a field that nobody said how to show */
export function fieldsOfStruct(members: readonly Member[]): NamedFormat[] {
  return members
    .map((member) => at(pathOf(member), member.name, look(BY_NAME, member.name)))
    .toSorted(byPlace);
}

/** The formats of a function's parameters. @throws {TypeError} for a parameter that nobody said how to show */
export function fieldsOfCall(inputs: readonly Member[]): NamedFormat[] {
  return inputs.flatMap((input) => parameter(input, "")).toSorted(byPlace);
}

function parameter(member: Member, parent: string): NamedFormat[] {
  const { name, components } = member;
  const path = parent + pathOf(member);
  if (components) return components.flatMap((component) => parameter(component, `${path}.`));
  if (name !== "terms") return [at(path, name, look(IN_CALLS, name))];
  const terms = [...TERMS].map(([slice, term]) => at(`${path}.${slice}`, term, SIGNED[term]));
  return [...terms, at(`${path}.[0:16]`, name, ABOVE_TERMS)];
}

function at(path: string, name: string, field: Shown | Hidden): NamedFormat {
  if (!("why" in field)) return { name, format: { path, ...field } };
  return { name, format: { $id: field.why, path, label: field.label, format: "raw", visible: "never" } };
}

function look(fields: ReadonlyMap<string, Shown | Hidden>, name: string): Shown | Hidden {
  const field = fields.get(name);
  if (!field) throw new TypeError(`Nobody said how to show the field ${name}.`);
  return field;
}

/** The field that a path shows: `resources` of `resources.[]`, `deadline` of `by.deadline`, `notBefore` of its bytes in the terms. */
export function fieldOfPath(path: string): string {
  const steps = path.split(".");
  return TERMS.get(steps.at(-1) ?? "") ?? steps.findLast((step) => !step.startsWith("[")) ?? path;
}

function pathOf({ name, type }: Member): string {
  return type.endsWith("[]") ? `${name}.[]` : name;
}

/** What is shown comes in the order above, and before what is not. */
function byPlace(one: NamedFormat, other: NamedFormat): number {
  return place(one) - place(other);
}

function place({ name, format }: NamedFormat): number {
  return format.visible === "never" ? Number.MAX_SAFE_INTEGER : [...BY_NAME.keys()].indexOf(name);
}
