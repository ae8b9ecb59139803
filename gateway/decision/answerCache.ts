/** Answers kept in memory until something that happened, or the clock, may have changed them. */
import type { Hex } from "../../protocol/hash.ts";
import type { Followed } from "../chain/eventFollower.ts";
import type { Answer, Question } from "./question.ts";

/** Above this many exams everything is dropped: simpler than counting uses, and rare. */
const MOST_EXAMS = 100_000;

type ExamAnswers = { patient: Hex; answers: Map<string, Answer> };

export class AnswerCache {
  readonly #exams = new Map<Hex, ExamAnswers>();
  readonly #examsOfPatient = new Map<Hex, Set<Hex>>();
  #generation = 0;

  /** Grows whenever answers are dropped: an answer asked for before must not be kept after. */
  get generation(): number {
    return this.#generation;
  }

  /** The answer, if it still holds. @param clocks every clock that must be before the end of a permit */
  get(question: Question, clocks: readonly number[]): Answer | undefined {
    const answer = this.#exams.get(question.exam.examId)?.answers.get(keyOf(question));
    if (answer?.reason === "permitted" && clocks.some((clock) => clock >= answer.validUntil))
      return undefined;
    return answer;
  }

  /** Keep an answer, unless answers were dropped since `generation` was read. A grant that begins later is not kept. */
  set(question: Question, answer: Answer, generation: number): void {
    if (generation !== this.#generation || answer.reason === "not-yet-valid") return;
    const { examId, patient } = question.exam;
    if (this.#exams.size >= MOST_EXAMS) this.#clear();
    let exam = this.#exams.get(examId);
    if (!exam) {
      exam = { patient, answers: new Map() };
      this.#exams.set(examId, exam);
      const siblings = this.#examsOfPatient.get(patient);
      if (siblings) siblings.add(examId);
      else this.#examsOfPatient.set(patient, new Set([examId]));
    }
    exam.answers.set(keyOf(question), answer);
  }

  /** Drop what may have changed. */
  drop(changes: Followed): void {
    if (changes === "all") return this.#clear();
    if (changes.length > 0) this.#generation += 1;
    for (const change of changes) {
      if ("examId" in change) this.#exams.get(change.examId)?.answers.clear();
      else
        for (const id of this.#examsOfPatient.get(change.patient) ?? []) this.#exams.get(id)?.answers.clear();
    }
  }

  #clear(): void {
    this.#generation += 1;
    this.#exams.clear();
    this.#examsOfPatient.clear();
  }
}

function keyOf({ series, reader, purpose, action }: Question): string {
  return `${reader} ${purpose} ${action} ${series?.resource ?? ""}`;
}
