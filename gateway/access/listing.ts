/**
 * Lists of exams, as they are told. To find and to describe them may take as long as the archive does, and nobody watches
 * over a list: so it is looked at once more before it goes.
 */
import type { Action } from "../../protocol/terms.ts";
import type { Revocable, Revocations } from "../auth/revocations.ts";
import { inOrder } from "../inOrder.ts";
import type { VisibleExam } from "./gate.ts";
import type { Judge, JudgingMoment, Reader } from "./judge.ts";
import { stillHolds } from "./verdict.ts";

/** Makes an answer of what was found. */
export type Compose<T> = (found: VisibleExam[]) => Promise<T>;

/** What is listed, for whom. */
type Listing = {
  caller: { token: Revocable };
  /** Who reads, for what they do: the caller, or the patient for whom the caller acts. */
  reader: Reader;
  action: Action;
  /** Find what is open now, and record that. */
  find(): Promise<VisibleExam[]>;
  /** Whether the caller still acts for the reader. */
  acts?(moment: JudgingMoment): Promise<boolean>;
};

/** How many exams are judged at once. */
const AT_ONCE = 8;

/**
 * What `compose` makes of what is found. Where some of it is open no more when that is done, all is found, recorded and
 * composed anew.
 * @throws {Problem} whatever finding or composing throws; `token-revoked`
 */
export async function composed<T>(
  parts: { judge: Judge; revocations: Pick<Revocations, "check"> },
  listing: Listing,
  compose: Compose<T>,
): Promise<T> {
  for (;;) {
    const found = await listing.find();
    const answer = await compose(found);
    const isOpen = await isStillOpen(parts.judge, listing, found);
    await parts.revocations.check(listing.caller.token);
    if (isOpen) return answer;
  }
}

/** Whether all of it is open at one and the same moment, and that is now. */
async function isStillOpen(judge: Judge, listing: Listing, found: readonly VisibleExam[]): Promise<boolean> {
  for (;;) {
    const moment = await judge.now();
    if (!(await isOpenAt(moment, judge, listing, found))) return false;
    if (moment.generation === judge.generation) return true;
  }
}

async function isOpenAt(
  moment: JudgingMoment,
  judge: Judge,
  { reader, action, acts }: Listing,
  found: readonly VisibleExam[],
): Promise<boolean> {
  if (acts && !(await acts(moment))) return false;
  const looked = inOrder(found, AT_ONCE, async (one) => {
    const asked = { exam: one.exam, seriesInstanceUid: null, action };
    return stillHolds(await judge.judge(reader, asked, moment), one);
  });
  for await (const isOpen of looked) if (!isOpen) return false;
  return true;
}
