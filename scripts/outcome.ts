/** What became of an exam, in a line. */
import type { ExamOutcome } from "../protocol/adminApi.ts";

/** `20010316` as `2001-03-16`; other forms, which archives hold too, as they are. */
export function day(date: string | null): string {
  return date?.replace(/^(\d{4})(\d{2})(\d{2})$/, "$1-$2-$3") ?? "no date";
}

/** An exam's line of progress; instances that its manifest had to leave out are named below it. */
export function describeOutcome(exam: ExamOutcome): string {
  const said = `${exam.outcome}: ${day(exam.studyDate)} ${exam.description ?? "(no description)"}`;
  if (exam.outcome === "failed") return `${said}: ${exam.why}`;
  const missing = exam.bad.map((instance) => `\n    without ${instance.sopInstanceUid}: ${instance.why}`);
  return `${said}${missing.join("")}`;
}
