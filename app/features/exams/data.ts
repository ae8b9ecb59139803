import { useMemo } from "react";
import type { Exam, Grant, Person, Problem } from "../../../protocol/api.ts";
import { examsSchema, grantsSchema, meSchema, peopleSchema } from "../../../protocol/api.ts";
import { type Gateway, toProblem } from "../../api/index.ts";
import type { Session } from "../connect/index.ts";
import { type Answer, useAnswers } from "../gateways/index.ts";
import { grantsOf } from "./access.ts";
import { isHeldBy } from "./verify.ts";

/** An exam, and where it was told of. */
export interface ExamAt {
  exam: Exam;
  gateway: Gateway;
  session: Session;
}

/** A gateway that should have answered, and why it did not. */
export interface Unanswered {
  gateway: Gateway;
  problem: Problem;
}

/** A grant, and who told of it: a gateway's word counts for the exams that it holds itself. */
export type GrantAt = Grant & { gateway: Gateway };

/** What all gateways know of something: what came, what is still to come, and who failed. */
export interface Collected<T> {
  items: T[];
  loading: boolean;
  /** Whether anybody has answered at all: without that, an empty list means nothing. */
  answered: boolean;
  unanswered: Unanswered[];
  retry: () => void;
}

/** How often lists are asked for again, in milliseconds: what others grant or revoke shows without a reload. */
const REFRESH_MS = 6_000;

function collect<A, T>(answers: Answer<A>[], itemsOf: (data: A, answer: Answer<A>) => T[]): Collected<T> {
  return {
    items: answers.flatMap((answer) => (answer.query.data ? itemsOf(answer.query.data, answer) : [])),
    loading: answers.some(({ query }) => query.isPending),
    answered: answers.some(({ query }) => query.data !== undefined),
    unanswered: answers.flatMap(({ gateway, query }) =>
      query.isError ? [{ gateway, problem: toProblem(query.error) }] : [],
    ),
    retry: () => void Promise.all(answers.map(({ query }) => query.refetch())),
  };
}

/** Every exam that the connected address owns or may see now, at any gateway it is signed in to. */
export function useExams(): Collected<ExamAt> & { grantsForgotten: boolean } {
  const answers = useAnswers("/exams", examsSchema, { refetchInterval: REFRESH_MS });
  const exams = collect(answers, ({ exams }, { gateway, session }) =>
    exams.filter((exam) => isHeldBy(exam, gateway.custodian)).map((exam) => ({ exam, gateway, session })),
  );
  return { ...exams, grantsForgotten: answers.some(({ query }) => query.data?.grantsForgotten) };
}

/** The connected address's own grants, latest state of each. */
export function useGrants(): Collected<GrantAt> {
  return collect(
    useAnswers("/grants", grantsSchema, { refetchInterval: REFRESH_MS }),
    ({ grants }, { gateway }) => grants.map((grant) => ({ ...grant, gateway })),
  );
}

/** Practitioners enrolled at one gateway. */
export function usePeople(base: string): Collected<Person> {
  const answers = useAnswers("/people", peopleSchema);
  return collect(
    answers.filter(({ gateway }) => gateway.base === base),
    ({ people }) => people,
  );
}

/** How the custodians know the connected address; the first name that one of them has for it. */
export function useMe(): {
  name: string | null;
  role: string | null;
  isPractitioner: boolean;
  isPatient: boolean;
} | null {
  const answers = useAnswers("/me", meSchema);
  const known = answers.flatMap(({ query }) => (query.data ? [query.data] : []));
  if (known.length === 0) return null;
  return {
    name: known.find(({ name }) => name)?.name ?? null,
    role: known.find(({ role }) => role)?.role ?? null,
    isPractitioner: known.some(({ isPractitioner }) => isPractitioner),
    isPatient: known.some(({ isPatient }) => isPatient),
  };
}

/** Grants of one exam and its series, of everybody. */
export function useGrantsOf(at: ExamAt, grants: readonly GrantAt[]): GrantAt[] {
  return useMemo(() => grantsOf(at, grants), [at, grants]);
}
