import type { Exam } from "../../../protocol/api.ts";
import type { Hex } from "../../../protocol/hash.ts";
import { seriesResource } from "../../../protocol/ids.ts";
import { examTitle, plainDate, seriesTitle } from "../../words/index.ts";
import { useExams } from "../exams/index.ts";
import { useCustodians } from "../gateways/index.ts";
import { type Known, quotable } from "../signing/index.ts";

/** The names that the wallet can use: its own people, the registry's custodians, and the exams that gateways told of. */
export function useKnown(people: Known["people"]): Known {
  const exams = useExams().items;
  const { custodians } = useCustodians();
  return {
    people,
    custodians: custodians.map(({ account, name }) => ({ address: account, name })),
    resources: new Map(exams.flatMap(({ exam }) => resourcesOf(exam))),
    blinded: new Map(),
  };
}

/** An exam and its series, by the resources that grants name; each computed from its parts. */
function resourcesOf(exam: Exam): [string, string][] {
  const date = plainDate(exam.studyDate);
  const name = `the exam “${quotable(examTitle(exam))}”${date ? ` of ${date}` : ""}`;
  const id = exam.examId as Hex;
  return [
    [id, name],
    ...exam.series.map((series): [string, string] => [
      seriesResource(id, series.seriesCommitment as Hex),
      `the series “${quotable(seriesTitle(series))}” of ${name}`,
    ]),
  ];
}
