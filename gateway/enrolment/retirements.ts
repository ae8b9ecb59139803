/** Retiring exams: the custodian's own act, done here only where its key was given. */
import type { Sender } from "../chain/sender.ts";
import { TransactionFailed } from "../chain/transactions.ts";
import type { exams } from "../database/schema.ts";
import type { Pointers } from "./pointers.ts";

/** The exam to retire. */
type Retired = Pick<typeof exams.$inferSelect, "examId" | "patient" | "commitment">;

export class Retirements {
  readonly #pointers: Pointers;
  readonly #custodian: Sender | null;

  /** @param custodian its key; null where it was not given */
  constructor(pointers: Pointers, custodian: Sender | null) {
    this.#pointers = pointers;
    this.#custodian = custodian;
  }

  /** Whether the custodian's key was given. */
  get areSent(): boolean {
    return this.#custodian !== null;
  }

  /** What the custodian sends, where its key was not given. */
  transactionFor(exam: Retired) {
    return { from: this.#pointers.custodian, ...this.#pointers.retirement(exam) };
  }

  /** Retire an exam, unless it is. @throws {TransactionFailed} @throws {Problem} `chain-unavailable` */
  async retire(exam: Retired): Promise<void> {
    const { examId, patient, commitment } = exam;
    if ((await this.#pointers.stateOf(examId)) === "retired") return;
    if (!this.#custodian) {
      throw new TransactionFailed(
        `The exam must be retired by the custodian first: ConsentLedger.retire(${patient}, ${commitment}), sent from ${this.#pointers.custodian}.`,
      );
    }
    await this.#custodian.execute(this.#pointers.retirement(exam));
  }
}
