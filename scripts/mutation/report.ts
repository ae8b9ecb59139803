import { EXPLAINED, type Explained } from "./explained.ts";
import type { Mutant } from "./mutants.ts";

/** What became of a mutant: the test that failed with it, or null where none did. */
export interface Verdict {
  mutant: Mutant;
  killedBy: string | null;
}

/** The share of mutants that the tests must kill. */
export const LEAST_SCORE = 0.95;

/** The list's entry for a mutant. */
export function explanationOf(mutant: Mutant): Explained | undefined {
  return EXPLAINED.find(
    ({ file, line, from, to }) =>
      file === mutant.file && line === mutant.lineText && from === mutant.from && to === mutant.to,
  );
}

/** Entries of the list that no surviving mutant bears out: the code has changed, or a test kills what it says none can. */
export function staleExplanations(verdicts: readonly Verdict[]): Explained[] {
  const borneOut = new Set(
    verdicts.filter(({ killedBy }) => killedBy === null).map(({ mutant }) => explanationOf(mutant)),
  );
  return EXPLAINED.filter((entry) => !borneOut.has(entry));
}

/** Killed mutants among all, explained ones too; 1 where there are none. */
export function scoreOf(verdicts: readonly Verdict[]): number {
  const killed = verdicts.filter(({ killedBy }) => killedBy !== null).length;
  return verdicts.length === 0 ? 1 : killed / verdicts.length;
}

/** Mutants that no test kills, and of which nobody says that none can. */
export function survivorsOf(verdicts: readonly Verdict[]): Mutant[] {
  return verdicts
    .filter(({ mutant, killedBy }) => killedBy === null && explanationOf(mutant) === undefined)
    .map(({ mutant }) => mutant);
}

/** Where a mutant is, what stands there, and what would; long texts only around the difference. */
export function inWords({ file, line, from, to }: Mutant): string {
  if (to === "") return `${file}:${line}  ${shortened(from, 0, from.length)}  →  (nothing)`;
  const least = Math.min(from.length, to.length);
  let start = 0;
  while (start < least && from[start] === to[start]) start += 1;
  let same = 0;
  while (same < least - start && from.at(-1 - same) === to.at(-1 - same)) same += 1;
  const [before, after] = [from, to].map((text) => shortened(text, start, text.length - same));
  return `${file}:${line}  ${before}  →  ${after}`;
}

/** At most a line of a text, around the part from `start` to `end`. */
function shortened(text: string, start: number, end: number): string {
  const [first, last] = [Math.max(0, start - 40), Math.min(text.length, Math.min(end, start + 60) + 40)];
  return `${first > 0 ? "…" : ""}${text.slice(first, last)}${last < text.length ? "…" : ""}`;
}

/** A line for each file, and one for all. */
export function table(verdicts: readonly Verdict[]): string {
  const files = [...new Set(verdicts.map(({ mutant }) => mutant.file))];
  const rows = files.map((file) =>
    row(
      file,
      verdicts.filter(({ mutant }) => mutant.file === file),
    ),
  );
  const all = [["", "mutants", "killed", "survived", "explained", "score"], ...rows, row("all", verdicts)];
  const widths =
    all[0]?.map((_, column) => Math.max(...all.map((cells) => cells[column]?.length ?? 0))) ?? [];
  return all
    .map((cells) =>
      cells.map((cell, at) => (at === 0 ? cell.padEnd(widths[at] ?? 0) : cell.padStart(widths[at] ?? 0))),
    )
    .map((cells) => cells.join("  "))
    .join("\n");
}

function row(name: string, verdicts: readonly Verdict[]): string[] {
  const killed = verdicts.filter(({ killedBy }) => killedBy !== null).length;
  const survived = survivorsOf(verdicts).length;
  const counts = [verdicts.length, killed, survived, verdicts.length - killed - survived];
  return [name, ...counts.map(String), `${(scoreOf(verdicts) * 100).toFixed(1)} %`];
}
