/** Dates and times as people read them, in the reader's own locale and time zone. */

/** Whole seconds since 1970-01-01 UTC, as on the chain. */
export type Seconds = number;

const HOUR = 3600;
const DAY = 24 * HOUR;

/**
 * A DICOM date in plain words, or null where it cannot be read.
 *
 * Takes DA (`YYYYMMDD`, PS3.5 section 6.2) and the ACR-NEMA form `YYYY.MM.DD` that old archives still hold.
 */
export function plainDate(da: string | null, locale?: string): string | null {
  const parts = /^(\d{4})[.-]?(\d{2})[.-]?(\d{2})$/.exec(da?.trim() ?? "");
  if (!parts) return null;
  const [year, month, day] = parts.slice(1).map(Number) as [number, number, number];
  const date = new Date(Date.UTC(year, month - 1, day));
  // A day that does not exist (30 February) would silently roll over into the next month.
  if (date.getUTCMonth() !== month - 1 || date.getUTCDate() !== day) return null;
  return new Intl.DateTimeFormat(locale, { dateStyle: "long", timeZone: "UTC" }).format(date);
}

/** A moment with date and time of day, such as "29 November 2026 at 14:00". */
export function plainMoment(at: Seconds, locale?: string): string {
  return new Intl.DateTimeFormat(locale, { dateStyle: "long", timeStyle: "short" }).format(at * 1000);
}

/** A moment in short, for lists. */
export function shortMoment(at: Seconds, locale?: string): string {
  return new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeStyle: "short" }).format(at * 1000);
}

/** Until when, inside a sentence: a period that ends at midnight covers the whole of the day before. */
export function untilInWords(
  end: Seconds,
  { short = false, locale }: { short?: boolean; locale?: string } = {},
): string {
  const last = new Date(end * 1000);
  if (last.getHours() !== 0 || last.getMinutes() !== 0 || last.getSeconds() !== 0) {
    return `until ${short ? shortMoment(end, locale) : plainMoment(end, locale)}`;
  }
  last.setDate(last.getDate() - 1);
  const day = new Intl.DateTimeFormat(locale, { dateStyle: short ? "medium" : "long" }).format(last);
  return `until the end of ${day}`;
}

/** How far `at` is from `now`: "in 7 days", "2 hours ago". */
export function distance(at: Seconds, now: Seconds, locale?: string): string {
  const format = new Intl.RelativeTimeFormat(locale, { numeric: "auto" });
  const away = at - now;
  if (Math.abs(away) >= 2 * DAY) return format.format(Math.round(away / DAY), "day");
  if (Math.abs(away) >= 2 * HOUR) return format.format(Math.round(away / HOUR), "hour");
  if (Math.abs(away) >= 120) return format.format(Math.round(away / 60), "minute");
  return format.format(Math.round(away), "second");
}

/** The present moment, by this machine's clock. */
export function nowSeconds(): Seconds {
  return Math.floor(Date.now() / 1000);
}
