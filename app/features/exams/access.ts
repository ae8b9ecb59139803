/** Who can see an exam: its grants, gathered by person. */
import type { Exam, Grant } from "../../../protocol/api.ts";
import { seriesTitle, shortAddress } from "../../words/index.ts";
import type { ExamAt, GrantAt } from "./data.ts";

/** The grants of an exam and its series, as told by the gateway that holds it: no other has a say. */
export function grantsOf({ exam, gateway }: Pick<ExamAt, "exam" | "gateway">, grants: readonly GrantAt[]) {
  return grants.filter(
    (grant) => grant.examId === exam.examId && grant.gateway.custodian === gateway.custodian,
  );
}

/** One person's access to one exam, over all grants they hold on it. */
export interface Access {
  address: string;
  name: string;
  /** Whether the custodian knows this address. */
  enrolled: boolean;
  role: string | null;
  /** Those that count now or will. */
  current: Grant[];
}

/** The name of a grantee, or the head and tail of the address where nobody here knows it. */
export function granteeName({ name, address }: Grant["grantee"]): string {
  return name ?? shortAddress(address);
}

/** Whether a grant counts now or will. */
export function isCurrent({ state }: Pick<Grant, "state">): boolean {
  return state === "active" || state === "scheduled";
}

/** Everybody who can see the exam or one of its series, each once. */
export function accessOf(grants: readonly Grant[]): Access[] {
  const people = new Map<string, Access>();
  for (const grant of grants.filter(isCurrent)) {
    const key = grant.grantee.address.toLowerCase();
    const access = people.get(key) ?? {
      address: grant.grantee.address,
      name: granteeName(grant.grantee),
      enrolled: grant.grantee.name !== null,
      role: grant.grantee.role,
      current: [],
    };
    access.current.push(grant);
    people.set(key, access);
  }
  return [...people.values()];
}

/** What a grant covers, in words: "the whole exam", or the name of its series. */
export function coveredInWords(grant: Pick<Grant, "covers" | "seriesInstanceUid">, exam: Exam): string {
  if (grant.covers === "exam") return "the whole exam";
  const series = exam.series.find(({ seriesInstanceUid }) => seriesInstanceUid === grant.seriesInstanceUid);
  return series ? `only “${seriesTitle(series)}”` : "only one series";
}
