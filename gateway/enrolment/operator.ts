/** The operator's transactions: registering and amending exams, and anchoring receipts, for the custodian, one after the other. */
import {
  Contract,
  type ContractTransactionResponse,
  concat,
  isError,
  type JsonRpcProvider,
  keccak256,
  TypedDataEncoder,
  Wallet,
} from "ethers";
import { accessLogAbi } from "../../protocol/abi/accessLog.ts";
import { consentLedgerAbi } from "../../protocol/abi/consentLedger.ts";
import type { Hex } from "../../protocol/hash.ts";
import type { AnchoredRun } from "../../protocol/receiptTree.ts";
import {
  ENROLMENT_TYPES,
  type Enrolment,
  RECEIPTS_TYPES,
  type SignedReceipts,
  typedDataDomain,
} from "../../protocol/typedData.ts";
import type { ExamPointer } from "../decision/question.ts";
import { faultOf } from "../operations/log.ts";

/** A transaction that could not be sent, or failed. `message` says what to do about it. */
export class TransactionFailed extends Error {
  override readonly name = "TransactionFailed";
}

/** What the ledger keeps of an exam. */
export type PointerState = "absent" | "registered" | "retired";

export type OperatorOptions = {
  ledger: Hex;
  chainId: number;
  custodian: Hex;
  operatorKey: Hex;
  custodianKey: Hex | null;
};

const RECEIPTS = TypedDataEncoder.from({ Receipts: [...RECEIPTS_TYPES.Receipts] });

export class Operator {
  readonly #options: OperatorOptions;
  readonly #domain: string;
  readonly #wallet: Wallet;
  readonly #custodian: Wallet | null;
  #queue: Promise<unknown> = Promise.resolve();

  constructor(provider: JsonRpcProvider, options: OperatorOptions) {
    this.#options = options;
    this.#domain = TypedDataEncoder.hashDomain(typedDataDomain(options.chainId, options.ledger));
    this.#wallet = new Wallet(options.operatorKey, provider);
    this.#custodian = options.custodianKey ? new Wallet(options.custodianKey, provider) : null;
  }

  /** Sign that a patient whom the custodian identified owns an address (EIP-712). */
  async signEnrolment(enrolment: Enrolment): Promise<Hex> {
    const domain = typedDataDomain(this.#options.chainId, this.#options.ledger);
    const types = { Enrolment: [...ENROLMENT_TYPES.Enrolment] };
    return (await this.#wallet.signTypedData(domain, types, enrolment)) as Hex;
  }

  /** Whose operator this is. */
  get custodian(): Hex {
    return this.#options.custodian;
  }

  /** Sign receipts that were written together (EIP-712); with domain and types encoded once, since it is on every reader's way. */
  signReceipts(run: SignedReceipts): Hex {
    const digest = keccak256(concat(["0x1901", this.#domain, RECEIPTS.hash(run)]));
    return this.#wallet.signingKey.sign(digest).serialized as Hex;
  }

  /** What the ledger has under an exam's id. */
  async stateOf(examId: Hex): Promise<PointerState> {
    const { owner, retired } = await this.#ledger(this.#wallet).getFunction("pointerOf").staticCall(examId);
    if (retired) return "retired";
    return BigInt(owner) === 0n ? "absent" : "registered";
  }

  /** @throws {TransactionFailed} */
  register({ custodian, patient, commitment }: ExamPointer, manifestRoot: Hex): Promise<void> {
    return this.#sendToLedger(this.#wallet, "register", [custodian, patient, commitment, manifestRoot]);
  }

  /** @throws {TransactionFailed} */
  amend({ custodian, patient, commitment }: ExamPointer, manifestRoot: Hex): Promise<void> {
    return this.#sendToLedger(this.#wallet, "amend", [custodian, patient, commitment, manifestRoot]);
  }

  /** Anchor the receipts that come next. @throws {TransactionFailed} */
  anchor(accessLog: Hex, { root, first, last }: AnchoredRun): Promise<void> {
    const contract = new Contract(accessLog, accessLogAbi, this.#wallet);
    return this.#send(this.#wallet, contract, "anchor", [this.#options.custodian, root, first, last]);
  }

  /** Retire an exam: the custodian's own act, done here only where its key was given. @throws {TransactionFailed} */
  async retire({ examId, patient, commitment }: ExamPointer): Promise<void> {
    if ((await this.stateOf(examId)) === "retired") return;
    if (!this.#custodian) {
      throw new TransactionFailed(
        `The exam must be retired by the custodian first: ConsentLedger.retire(${patient}, ${commitment}), sent from ${this.#options.custodian}.`,
      );
    }
    await this.#sendToLedger(this.#custodian, "retire", [patient, commitment]);
  }

  #sendToLedger(wallet: Wallet, method: string, parameters: readonly unknown[]): Promise<void> {
    return this.#send(wallet, this.#ledger(wallet), method, parameters);
  }

  /** One at a time, so that no two take the same nonce. */
  #send(wallet: Wallet, contract: Contract, method: string, parameters: readonly unknown[]): Promise<void> {
    const sent = this.#queue.then(async () => {
      try {
        const transaction: ContractTransactionResponse = await contract
          .getFunction(method)
          .send(...parameters);
        await transaction.wait();
      } catch (error) {
        throw this.#explain(error, wallet);
      }
    });
    this.#queue = sent.catch(() => undefined);
    return sent;
  }

  #ledger(wallet: Wallet): Contract {
    return new Contract(this.#options.ledger, consentLedgerAbi, wallet);
  }

  #explain(error: unknown, wallet: Wallet): TransactionFailed {
    const text = (message: string) => new TransactionFailed(message, { cause: error });
    if (isError(error, "CALL_EXCEPTION") && error.revert?.name.endsWith("NotOperator")) {
      return text(
        `${wallet.address} is not an operator of the custodian: ${this.#options.custodian} must send ConsentLedger.setOperator(${wallet.address}, true).`,
      );
    }
    if (isError(error, "CALL_EXCEPTION"))
      return text(`The contract refused: ${error.revert?.name ?? error.shortMessage}.`);
    if (isError(error, "INSUFFICIENT_FUNDS")) return text(`${wallet.address} has no ether to pay for gas.`);
    return text(`The transaction could not be sent: ${faultOf(error)}.`);
  }
}
