/** What became of an exam, in a line. */
import { z } from "zod";

const outcomeSchema = z.object({
  outcome: z.string(),
  description: z.string().nullable(),
  studyDate: z.string().nullable(),
  why: z.string().optional(),
  bad: z.array(z.object({ sopInstanceUid: z.string(), why: z.string() })).default([]),
});

/** `20010316` as `2001-03-16`; other forms, which archives hold too, as they are. */
export function day(date: string | null): string {
  return date?.replace(/^(\d{4})(\d{2})(\d{2})$/, "$1-$2-$3") ?? "no date";
}

/** An exam's line of progress; instances that its manifest had to leave out are named below it. */
export function describeOutcome(line: Record<string, unknown>): string {
  const { outcome, description, studyDate, why, bad } = outcomeSchema.parse(line);
  const said = `${outcome}: ${day(studyDate)} ${description ?? "(no description)"}`;
  const missing = bad.map((instance) => `\n    without ${instance.sopInstanceUid}: ${instance.why}`).join("");
  return `${said}${why ? `: ${why}` : ""}${missing}`;
}
