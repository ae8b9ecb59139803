/** Who can see an exam: the grants that cover it, gathered by person. */
import type { Exam, Grant } from "../../../protocol/api.ts";
import { addressOfGrantee, examsAtResource } from "../../../protocol/ids.ts";
import { seriesTitle, shortAddress } from "../../words/index.ts";
import type { ExamAt, GrantAt } from "./data.ts";

/**
 * The grants of an exam and its series, and the wider ones that take it in, as told by the gateway that holds it: no
 * other has a say.
 */
export function grantsOf({ exam, gateway }: Pick<ExamAt, "exam" | "gateway">, grants: readonly GrantAt[]) {
  return grants.filter(
    (grant) =>
      grant.gateway.custodian === gateway.custodian &&
      (grant.examId === null ? !isKeptOut(exam, grant) : grant.examId === exam.examId),
  );
}

/** Whether the patient keeps an exam out of a wider grant. */
export function isKeptOut(
  { examId, custodian }: Pick<Exam, "examId" | "custodian">,
  { exceptions }: Pick<Grant, "exceptions">,
): boolean {
  return exceptions.includes(examId) || exceptions.includes(examsAtResource(custodian.address));
}

/** Grants that are wider than an exam, each once, though every gateway tells of one on all exams. */
export function wideGrantsOf(grants: readonly GrantAt[]): GrantAt[] {
  const wide = grants.filter((grant) => grant.examId === null && isCurrent(grant));
  return [...new Map(wide.map((grant) => [keyOf(grant), grant])).values()];
}

/** What tells a grant from any other of the same patient. */
export function keyOf({ resource, grantee }: Pick<Grant, "resource" | "grantee">): string {
  return `${resource} ${grantee.word}`;
}

/** One person's access to one exam, over all grants they hold on it. */
export interface Access {
  /** The address, or, where that is hidden, the grantee as the ledger keeps it. */
  id: string;
  /** Null where it is hidden, and nobody has told this gateway whose it is. */
  address: string | null;
  name: string;
  /** Whether the custodian knows this address. */
  enrolled: boolean;
  role: string | null;
  /** Those that count now or will. */
  current: GrantAt[];
}

/** The name of a grantee, or the head and tail of the address where nobody here knows it. */
export function granteeName({ name, address }: Pick<Grant["grantee"], "name" | "address">): string {
  if (name !== null) return name;
  return address === null ? "Somebody under a hidden name" : shortAddress(address);
}

/** Whether a grant counts now or will. */
export function isCurrent({ state }: Pick<Grant, "state">): boolean {
  return state === "active" || state === "scheduled";
}

/** A grant on one exam or series, to an address: one that can be granted anew with other terms. */
export type ChangeableGrant = GrantAt & { examId: string; grantee: { address: string } };

export function isChangeable(grant: GrantAt): grant is ChangeableGrant {
  return grant.examId !== null && addressOfGrantee(grant.grantee.word) !== null;
}

/** Everybody who can see the exam or one of its series, each once. */
export function accessOf(grants: readonly GrantAt[]): Access[] {
  const people = new Map<string, Access>();
  for (const grant of grants.filter(isCurrent)) {
    const { address, word, name, role } = grant.grantee;
    const id = address ?? word;
    const access = people.get(id) ?? {
      id,
      address,
      name: granteeName(grant.grantee),
      enrolled: name !== null,
      role,
      current: [],
    };
    access.current.push(grant);
    people.set(id, access);
  }
  return [...people.values()];
}

/**
 * What a grant covers, in words: "the whole exam", or the name of its series, or how much wider it is.
 * @param exam null for a wide grant by itself
 */
export function coveredInWords(
  grant: Pick<GrantAt, "covers" | "seriesInstanceUid" | "exceptions" | "gateway">,
  exam: Pick<Exam, "series"> | null,
): string {
  if (grant.covers === "series") {
    const series = exam?.series.find((one) => one.seriesInstanceUid === grant.seriesInstanceUid);
    return series ? `only “${seriesTitle(series)}”` : "only one series";
  }
  const kept = (exam?.series ?? []).filter(({ seriesResource }) => grant.exceptions.includes(seriesResource));
  const but = kept.length > 0 ? `, but not ${kept.map((one) => `“${seriesTitle(one)}”`).join(", ")}` : "";
  if (grant.covers === "exam") return `the whole exam${but}`;
  if (grant.covers === "custodian") return `all your exams at ${grant.gateway.name}, later ones too${but}`;
  return `all your exams, wherever they are, later ones too${but}`;
}
