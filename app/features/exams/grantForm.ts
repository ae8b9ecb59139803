/** From what a patient fills in to the terms that are signed. */
import { LATEST, type Purpose, type Terms } from "../../../protocol/terms.ts";
import type { Seconds } from "../../words/index.ts";

/** Until when: a preset from now on, or the end of a day of the patient's own. */
export type Until = "day" | "week" | "month" | { date: string };

/** What the form holds about the terms. */
export interface GrantForm {
  purposes: Purpose[];
  /** Looking is always part of a grant; downloading only if it is asked for. */
  download: boolean;
  until: Until;
}

/** Why terms cannot be made of the form yet. */
export type FormFault = "no-purpose" | "no-date" | "date-past" | "date-too-far";

/** The fault in plain words, with the way out. */
export const FAULT_WORDS: Record<FormFault, string> = {
  "no-purpose": "Choose at least one purpose.",
  "no-date": "Choose the last day.",
  "date-past": "Choose a day that is not over yet.",
  "date-too-far": "Choose a day within the next hundred years.",
};

/** The first second after which access has ended, by the patient's own calendar; null where no day was chosen. */
export function endOf(until: Until, now: Seconds): Seconds | null {
  const from = new Date(now * 1000);
  if (typeof until === "object") return endOfDay(until.date);
  if (until === "day") from.setDate(from.getDate() + 1);
  if (until === "week") from.setDate(from.getDate() + 7);
  if (until === "month") addMonth(from);
  return Math.floor(from.getTime() / 1000);
}

/** The midnight that ends a day (`YYYY-MM-DD`), in this machine's time zone. */
function endOfDay(date: string): Seconds | null {
  const parts = /^(\d{4,6})-(\d{2})-(\d{2})$/.exec(date);
  if (!parts) return null;
  const [year, month, day] = parts.slice(1).map(Number) as [number, number, number];
  const end = new Date(year, month - 1, day + 1).getTime();
  return Number.isNaN(end) ? null : Math.floor(end / 1000);
}

/** One month on; 31 January becomes the last day of February. */
function addMonth(date: Date): void {
  const day = date.getDate();
  date.setDate(1);
  date.setMonth(date.getMonth() + 1);
  const lastDay = new Date(date.getFullYear(), date.getMonth() + 1, 0).getDate();
  date.setDate(Math.min(day, lastDay));
}

const HUNDRED_YEARS: Seconds = 100 * 366 * 24 * 3600;

/**
 * The terms, or why there are none yet.
 * @param clock `now` is this machine's time, `head` that of the chain's latest block. Terms begin at the earlier of the
 *   two, so that a clock that is ahead does not shut the grantee out at first.
 */
export function termsOf(
  form: GrantForm,
  clock: { now: Seconds; head: Seconds },
): { terms: Terms } | { fault: FormFault } {
  if (form.purposes.length === 0) return { fault: "no-purpose" };
  const notAfter = endOf(form.until, clock.now);
  if (notAfter === null) return { fault: "no-date" };
  if (notAfter <= clock.now) return { fault: "date-past" };
  if (notAfter > LATEST || notAfter - clock.now > HUNDRED_YEARS) return { fault: "date-too-far" };
  return {
    terms: {
      notBefore: Math.min(clock.now, clock.head),
      notAfter,
      purposes: form.purposes,
      actions: form.download ? ["VIEW", "DOWNLOAD"] : ["VIEW"],
    },
  };
}
