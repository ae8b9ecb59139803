/**
 * The audit: every decision, in the database before the first byte that it allows.
 *
 * Decisions that arrive within two milliseconds are committed together. Their sequence numbers come from a counter
 * that is locked within the same transaction: without gaps, since a database's own sequences leave them at rollback.
 */
import { sql } from "drizzle-orm";
import type { Database } from "../database/database.ts";
import { auditCounter, decisions } from "../database/schema.ts";
import { Problem } from "../problem.ts";

/** A decision to record; the audit adds number and time. */
export type DecisionRecord = Omit<typeof decisions.$inferInsert, "seq" | "decidedAt">;

/** Milliseconds that a decision may wait for others to share its commit. */
const GROUP_WINDOW = 2;

/** Rows in one commit. */
const LARGEST_GROUP = 500;

type Waiting = {
  row: Omit<typeof decisions.$inferInsert, "seq">;
  resolve(): void;
  reject(problem: Problem): void;
};

export class Audit {
  readonly #database: Database;
  #waiting: Waiting[] = [];
  #committing: Promise<void> | null = null;

  constructor(database: Database) {
    this.#database = database;
  }

  /**
   * Resolves once the decision is durable.
   * @throws {Problem} `database-unavailable`: nothing may be delivered then
   */
  record(decision: DecisionRecord): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ row: { ...decision, decidedAt: Date.now() }, resolve, reject });
      this.#committing ??= this.#commitAll();
    });
  }

  /** Wait for what is being committed. */
  async close(): Promise<void> {
    await this.#committing;
  }

  async #commitAll(): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, GROUP_WINDOW));
    while (this.#waiting.length > 0) {
      const group = this.#waiting.splice(0, LARGEST_GROUP);
      try {
        await this.#commit(group.map(({ row }) => row));
        for (const { resolve } of group) resolve();
      } catch (cause) {
        for (const { reject } of group) reject(new Problem("database-unavailable", undefined, { cause }));
      }
    }
    this.#committing = null;
  }

  #commit(rows: Waiting["row"][]): Promise<void> {
    return this.#database.transaction(async (tx) => {
      const [counter] = await tx
        .insert(auditCounter)
        .values({ last: rows.length })
        .onConflictDoUpdate({
          target: auditCounter.id,
          set: { last: sql`${auditCounter.last} + ${rows.length}` },
        })
        .returning();
      if (!counter) throw new Error("The audit's counter is missing.");
      const first = counter.last - rows.length + 1;
      await tx.insert(decisions).values(rows.map((row, index) => ({ ...row, seq: first + index })));
    });
  }
}
