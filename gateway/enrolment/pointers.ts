/** Exam pointers on the ledger: what it keeps of them, and the calls that change that. */
import { type JsonRpcProvider, ZeroAddress } from "ethers";
import type { Hex } from "../../protocol/hash.ts";
import { ledgerInterface } from "../chain/logs.ts";
import type { Call } from "../chain/sender.ts";
import { answered } from "../chain/transactions.ts";
import type { exams } from "../database/schema.ts";
import { encodePointerOf } from "../decision/question.ts";

/** What the ledger keeps of an exam. */
export type PointerState = "absent" | "registered" | "retired";
export type LedgerPointer = { state: PointerState; manifestRoot: Hex };

/** What an operator does about an exam. */
export type Act = "register" | "amend";

/** Of an exam, what its pointer is made of. */
export type PointerParts = Pick<typeof exams.$inferSelect, "patient" | "commitment">;

export class Pointers {
  readonly custodian: Hex;
  readonly #provider: JsonRpcProvider;
  readonly #ledger: Hex;

  constructor(provider: JsonRpcProvider, ledger: Hex, custodian: Hex) {
    this.#provider = provider;
    this.#ledger = ledger;
    this.custodian = custodian;
  }

  /** The number of the head. @throws {Problem} `chain-unavailable` */
  headNumber(): Promise<number> {
    return answered(this.#provider.getBlockNumber());
  }

  /** What the ledger has under an exam's id, at a block or now. @throws {Problem} `chain-unavailable` */
  async at(examId: Hex, block: number | "latest" = "latest"): Promise<LedgerPointer> {
    const call = { to: this.#ledger, data: encodePointerOf(examId), blockTag: block };
    const answer = await answered(this.#provider.call(call));
    // Before the ledger was there, nothing is in it.
    if (answer === "0x") return { state: "absent", manifestRoot: "0x" };
    const [pointer] = ledgerInterface.decodeFunctionResult("pointerOf", answer) as unknown as [
      { owner: string; retired: boolean; manifestRoot: Hex },
    ];
    const isStored = pointer.owner !== ZeroAddress;
    const state = pointer.retired ? "retired" : isStored ? "registered" : "absent";
    return { state, manifestRoot: pointer.manifestRoot };
  }

  /** As `at`, of which only the state counts. @throws {Problem} `chain-unavailable` */
  async stateOf(examId: Hex): Promise<PointerState> {
    return (await this.at(examId)).state;
  }

  /** What an operator sends to register an exam, or to amend its manifest. */
  call(act: Act, { patient, commitment, manifestRoot }: PointerParts & { manifestRoot: Hex }): Call {
    return this.#encode(act, [this.custodian, patient, commitment, manifestRoot]);
  }

  /** What the custodian sends to retire an exam. */
  retirement({ patient, commitment }: PointerParts): Call {
    return this.#encode("retire", [patient, commitment]);
  }

  #encode(method: Act | "retire", parameters: readonly Hex[]): Call {
    return { to: this.#ledger, data: ledgerInterface.encodeFunctionData(method, parameters) as Hex };
  }
}
