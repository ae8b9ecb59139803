/**
 * The operator's key: what it signs, and the transactions by which exams are registered, amended and retired, and receipts
 * anchored.
 */
import {
  Contract,
  type ContractTransactionResponse,
  concat,
  Interface,
  isCallException,
  isError,
  type JsonRpcProvider,
  keccak256,
  Transaction,
  TypedDataEncoder,
  Wallet,
  ZeroAddress,
} from "ethers";
import { accessLogAbi } from "../../protocol/abi/accessLog.ts";
import { consentLedgerAbi } from "../../protocol/abi/consentLedger.ts";
import { emergencyAccessAbi } from "../../protocol/abi/emergencyAccess.ts";
import type { Hex } from "../../protocol/hash.ts";
import type { AnchoredRun } from "../../protocol/receiptTree.ts";
import {
  ENROLMENT_TYPES,
  type Enrolment,
  RECEIPTS_TYPES,
  type SignedReceipts,
  typedDataDomain,
} from "../../protocol/typedData.ts";
import { ledgerInterface } from "../chain/logs.ts";
import {
  answered,
  type Fees,
  gasLimitOf,
  refusalOf,
  sendRaw,
  suggestedFees,
  TransactionFailed,
} from "../chain/transactions.ts";
import { type Turns, turns } from "../chain/turns.ts";
import type { ExamPointer } from "../decision/question.ts";
import type { Problem } from "../problem.ts";

/** The errors of all contracts that the operator calls. */
const refusals = new Interface(
  [...consentLedgerAbi, ...accessLogAbi, ...emergencyAccessAbi].filter(({ type }) => type === "error"),
);

/** Milliseconds after which an emergency that is not mined is told to be so: somebody waits for it. */
const MINED_WITHIN = 60_000;

const EMERGENCY_ATTEMPTS = 3;

/** What practitioners signed, as `EmergencyAccess.open` takes it. */
export type SignedEmergency = {
  emergency: {
    custodian: Hex;
    patient: Hex;
    commitment: Hex;
    reader: Hex;
    reason: number;
    until: number;
    count: number;
  };
  badge: Hex;
  signature: string;
  /** The zero address for nobody. */
  second: string;
  secondSignature: string;
};

/** `EmergencyAccess` refuses to open. */
export class EmergencyRefused extends Error {
  override readonly name = "EmergencyRefused";
  /** The contract's error, by its name. */
  readonly refusal: string;

  constructor(refusal: string) {
    super(`The contract refused: ${refusal}.`);
    this.refusal = refusal;
  }
}

/** What the ledger keeps of an exam. */
export type PointerState = "absent" | "registered" | "retired";
export type LedgerPointer = { state: PointerState; manifestRoot: Hex };

/** What an operator does about an exam. */
export type Act = "register" | "amend";

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
  readonly #provider: JsonRpcProvider;
  readonly #wallet: Wallet;
  readonly #custodian: Wallet | null;
  /** Turns at the operator's nonces. */
  readonly #inTurn: Turns;
  /** The custodian's transactions, one at a time, so that no two take the same nonce. */
  #retiring: Promise<unknown> = Promise.resolve();

  constructor(provider: JsonRpcProvider, options: OperatorOptions, inTurn = turns()) {
    this.#inTurn = inTurn;
    this.#options = options;
    this.#domain = TypedDataEncoder.hashDomain(typedDataDomain(options.chainId, options.ledger));
    this.#provider = provider;
    this.#wallet = new Wallet(options.operatorKey, provider);
    this.#custodian = options.custodianKey ? new Wallet(options.custodianKey, provider) : null;
  }

  /** In lower case. */
  get address(): Hex {
    return this.#wallet.address.toLowerCase() as Hex;
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

  /** The number of the head. @throws {Problem} `chain-unavailable` */
  headNumber(): Promise<number> {
    return answered(this.#provider.getBlockNumber());
  }

  /** How many of the operator's transactions were mined up to a block. @throws {Problem} `chain-unavailable` */
  mined(block: number): Promise<number> {
    return answered(this.#provider.getTransactionCount(this.#wallet.address, block));
  }

  /**
   * Send something under the operator's next nonce: the one after those that were mined, and those that the node waits with.
   * All that the operator sends anew goes by here, one after the other.
   * @param send resolves once a node has the transaction, or it is known that none will be sent
   * @throws {Problem} `chain-unavailable`
   */
  withNextNonce<T>(send: (nonce: number) => Promise<T>): Promise<T> {
    const { address } = this.#wallet;
    return this.#inTurn(async () =>
      send(await answered(this.#provider.getTransactionCount(address, "pending"))),
    );
  }

  /** What the ledger has under an exam's id, at a block or now. @throws {Problem} `chain-unavailable` */
  async pointerOf(examId: Hex, block: number | "latest" = "latest"): Promise<LedgerPointer> {
    const data = ledgerInterface.encodeFunctionData("pointerOf", [examId]);
    const call = { to: this.#options.ledger, data, blockTag: block };
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

  /** As `pointerOf`, of which only the state counts. @throws {Problem} `chain-unavailable` */
  async stateOf(examId: Hex): Promise<PointerState> {
    return (await this.pointerOf(examId)).state;
  }

  /**
   * Gas for a transaction, found by trying it on the head.
   * @throws {TransactionFailed} where the ledger would refuse it
   * @throws {Problem} `chain-unavailable`
   */
  async gasFor(act: Act, pointer: ExamPointer, manifestRoot: Hex): Promise<bigint> {
    const data = this.#callData(act, pointer, manifestRoot);
    const transaction = { from: this.#wallet.address, to: this.#options.ledger, data };
    // On the head: nodes try it on top of what waits by themselves, which may hold this very transaction.
    const gas: unknown = await this.#provider
      .send("eth_estimateGas", [transaction, "latest"])
      .catch((error: unknown) => {
        throw this.#explain(error, this.#wallet);
      });
    return gasLimitOf(gas);
  }

  /** What the node suggests to offer. @throws {Problem} `chain-unavailable` */
  suggestedFees(): Promise<Fees> {
    return suggestedFees(this.#provider);
  }

  /**
   * Give a transaction to the node. That it knows it, or another of the same nonce, is as good as taken: which of them
   * is mined is seen on the ledger.
   * @throws {TransactionFailed} where the node refuses it
   * @throws {Problem} `chain-unavailable`: it may have been taken, or not
   */
  async send(
    act: Act,
    pointer: ExamPointer,
    manifestRoot: Hex,
    { nonce, gas, fees }: { nonce: number; gas: bigint; fees: Fees },
  ): Promise<void> {
    const transaction = Transaction.from({
      type: 2,
      chainId: this.#options.chainId,
      to: this.#options.ledger,
      data: this.#callData(act, pointer, manifestRoot),
      nonce,
      gasLimit: gas,
      maxFeePerGas: fees.maxFee,
      maxPriorityFeePerGas: fees.priorityFee,
    });
    const signed = await this.#wallet.signTransaction(transaction);
    await sendRaw(this.#provider, signed).catch((error: unknown) => {
      throw this.#explain(error, this.#wallet);
    });
  }

  /** Whether the custodian's key was given, with which exams are retired. */
  get retires(): boolean {
    return this.#custodian !== null;
  }

  /** What the custodian sends to retire an exam, where its key was not given. */
  retirementOf({ patient, commitment }: Pick<ExamPointer, "patient" | "commitment">) {
    const data = ledgerInterface.encodeFunctionData("retire", [patient, commitment]) as Hex;
    return { from: this.#options.custodian, to: this.#options.ledger, data };
  }

  /** Retire an exam: the custodian's own act, done here only where its key was given. @throws {TransactionFailed} */
  async retire({ examId, patient, commitment }: ExamPointer): Promise<void> {
    if ((await this.stateOf(examId)) === "retired") return;
    if (!this.#custodian) {
      throw new TransactionFailed(
        `The exam must be retired by the custodian first: ConsentLedger.retire(${patient}, ${commitment}), sent from ${this.#options.custodian}.`,
      );
    }
    const custodian = this.#custodian;
    const ledger = new Contract(this.#options.ledger, consentLedgerAbi, custodian);
    const retired = this.#retiring.then(() => this.#done(custodian, ledger, "retire", [patient, commitment]));
    this.#retiring = retired.catch(() => undefined);
    await retired;
  }

  /**
   * Anchor the receipts that come next.
   * @throws {TransactionFailed} @throws {Problem} `chain-unavailable`
   */
  async anchor(accessLog: Hex, { root, first, last }: AnchoredRun): Promise<void> {
    const contract = new Contract(accessLog, accessLogAbi, this.#wallet);
    const parameters = [this.#options.custodian, root, first, last];
    try {
      const sent = await this.#sendNext(contract, "anchor", parameters);
      await sent.wait();
    } catch (error) {
      throw this.#explain(error, this.#wallet);
    }
  }

  /**
   * Open an exam in an emergency: tried first, so that what the contract would refuse is not sent. Where another of the
   * operator's transactions took its nonce, it is sent again.
   * @throws {EmergencyRefused} with the contract's error
   * @throws {TransactionFailed} @throws {Problem} `chain-unavailable`
   */
  async openEmergency(emergencyAccess: Hex, opened: SignedEmergency): Promise<void> {
    const contract = new Contract(emergencyAccess, emergencyAccessAbi, this.#wallet);
    const { emergency, badge, signature, second, secondSignature } = opened;
    const parameters = [emergency, badge, signature, second, secondSignature];
    for (let attempt = 1; ; attempt += 1) {
      await this.#tryEmergency(contract, parameters);
      try {
        const sent = await this.#sendNext(contract, "open", parameters);
        await sent.wait(1, MINED_WITHIN);
        return;
      } catch (error) {
        const isTaken = isError(error, "NONCE_EXPIRED") || isError(error, "REPLACEMENT_UNDERPRICED");
        if (!isTaken || attempt === EMERGENCY_ATTEMPTS) throw this.#explain(error, this.#wallet);
      }
    }
  }

  async #tryEmergency(contract: Contract, parameters: readonly unknown[]): Promise<void> {
    try {
      await contract.getFunction("open").staticCall(...parameters);
    } catch (error) {
      const data = isCallException(error) ? error.data : null;
      const refusal = data ? contract.interface.parseError(data)?.name : undefined;
      if (refusal?.startsWith("EmergencyAccess") && !refusal.endsWith("NotOperator"))
        throw new EmergencyRefused(refusal);
      throw this.#explain(error, this.#wallet);
    }
  }

  #sendNext(
    contract: Contract,
    method: string,
    parameters: readonly unknown[],
  ): Promise<ContractTransactionResponse> {
    return this.withNextNonce((nonce) => contract.getFunction(method).send(...parameters, { nonce }));
  }

  /** Send a transaction, and wait until it is mined. */
  async #done(
    wallet: Wallet,
    contract: Contract,
    method: string,
    parameters: readonly unknown[],
  ): Promise<void> {
    try {
      const sent: ContractTransactionResponse = await contract.getFunction(method).send(...parameters);
      await sent.wait();
    } catch (error) {
      throw this.#explain(error, wallet);
    }
  }

  #callData(act: Act, { custodian, patient, commitment }: ExamPointer, manifestRoot: Hex): string {
    return ledgerInterface.encodeFunctionData(act, [custodian, patient, commitment, manifestRoot]);
  }

  #explain(error: unknown, wallet: Wallet): TransactionFailed | Problem {
    if (isCallException(error)) {
      const failed = (message: string) => new TransactionFailed(message, { cause: error });
      const name = error.data ? refusals.parseError(error.data)?.name : undefined;
      if (!name?.endsWith("NotOperator"))
        return failed(`The contract refused: ${name ?? error.shortMessage}.`);
      return failed(
        `${wallet.address} is not an operator of the custodian: ${this.#options.custodian} must send ConsentLedger.setOperator(${wallet.address}, true).`,
      );
    }
    return refusalOf(error, wallet.address);
  }
}
