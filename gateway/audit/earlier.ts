/**
 * Decisions of before there were receipts: sealed once, under the numbers that they have, so that from then on they can be
 * anchored, and erased, as all others. Nobody was given a receipt of them. What became of them before, no seal can tell:
 * their signature's time is later than their decision's.
 */
import { asc, inArray } from "drizzle-orm";
import type { FastifyBaseLogger } from "fastify";
import type { Database } from "../database/database.ts";
import { decisions } from "../database/schema.ts";
import { EnvelopeKeys } from "./envelopeKeys.ts";
import { type Signer, write } from "./log.ts";
import { type Decision, sealAll } from "./sealing.ts";

type Row = typeof decisions.$inferSelect;

/** Decisions in one transaction. */
const AT_ONCE = 500;

/** Seal all that are left; of several gateways that start at once, each seals what no other holds. */
export async function sealEarlier(
  database: Database,
  signer: Signer,
  log: Pick<FastifyBaseLogger, "info">,
): Promise<void> {
  let sealed = 0;
  while ((await database.$count(decisions)) > 0) {
    sealed += await database.transaction(async (tx) => {
      const rows = await tx.select().from(decisions).orderBy(asc(decisions.seq)).limit(AT_ONCE).for("update");
      const run = withoutGap(rows);
      const [first] = run;
      if (!first) return 0;
      await write(tx, await sealAll(new EnvelopeKeys(tx), run.map(decisionOf)), first.seq, signer);
      await tx.delete(decisions).where(
        inArray(
          decisions.seq,
          run.map(({ seq }) => seq),
        ),
      );
      return run.length;
    });
  }
  if (sealed > 0) log.info({ decisions: sealed }, "Decisions of before there were receipts were sealed");
}

/** A row that was deleted leaves a gap, which a signature cannot cover. */
function withoutGap(rows: readonly Row[]): Row[] {
  const gap = rows.findIndex(({ seq }, index) => seq !== (rows[0]?.seq ?? 0) + index);
  return rows.slice(0, gap < 0 ? rows.length : gap);
}

function decisionOf({ seq: _, permitted: __, examId, shown, ...decision }: Row): Decision {
  return { ...decision, emergency: false, exams: shown ?? (examId === null ? [] : [examId]) };
}
