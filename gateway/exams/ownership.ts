/** Who an exam still belongs to: the directory knows whom it was registered for, the ledger whether that is so. */
import type { Decider } from "../decision/decider.ts";
import type { KnownExam } from "./directory.ts";

/** Those of these exams that were not handed over. @throws {Problem} `chain-unavailable`, `chain-stale` */
export async function stillOwned(
  decider: Pick<Decider, "now" | "wasHandedOver">,
  exams: readonly KnownExam[],
): Promise<KnownExam[]> {
  const moment = await decider.now();
  const owned: KnownExam[] = [];
  for (const exam of exams) if (!(await decider.wasHandedOver(exam, moment))) owned.push(exam);
  return owned;
}
