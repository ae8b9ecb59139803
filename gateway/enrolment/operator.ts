/** The operator: what it signs for its custodian. What it sends, it sends as a `Sender`. */
import { secp256k1 } from "@noble/curves/secp256k1.js";
import { concat, getBytes, keccak256, TypedDataEncoder, Wallet } from "ethers";
import { type Hex, toHex } from "../../protocol/hash.ts";
import {
  ENROLMENT_TYPES,
  type Enrolment,
  RECEIPTS_TYPES,
  type SignedReceipts,
  typedDataDomain,
} from "../../protocol/typedData.ts";

export type OperatorOptions = { ledger: Hex; chainId: number; custodian: Hex; operatorKey: Hex };

const RECEIPTS = TypedDataEncoder.from({ Receipts: [...RECEIPTS_TYPES.Receipts] });

export class Operator {
  /** Whose operator this is. */
  readonly custodian: Hex;
  readonly #wallet: Wallet;
  readonly #key: Uint8Array;
  readonly #domain: ReturnType<typeof typedDataDomain>;
  readonly #domainHash: string;

  constructor({ ledger, chainId, custodian, operatorKey }: OperatorOptions) {
    this.custodian = custodian;
    this.#wallet = new Wallet(operatorKey);
    this.#key = getBytes(operatorKey);
    this.#domain = typedDataDomain(chainId, ledger);
    this.#domainHash = TypedDataEncoder.hashDomain(this.#domain);
  }

  /** Sign that a patient whom the custodian identified owns an address (EIP-712). */
  async signEnrolment(enrolment: Enrolment): Promise<Hex> {
    const types = { Enrolment: [...ENROLMENT_TYPES.Enrolment] };
    return (await this.#wallet.signTypedData(this.#domain, types, enrolment)) as Hex;
  }

  /**
   * Sign receipts that were written together (EIP-712). It is on every reader's way: domain and types are encoded once, and
   * it signs as the wallet does, but by a younger release of the wallet's own library, which takes half as long.
   */
  signReceipts(run: SignedReceipts): Hex {
    const digest = keccak256(concat(["0x1901", this.#domainHash, RECEIPTS.hash(run)]));
    const form = { prehash: false, format: "recovered" } as const;
    const [recovery = 0, ...rAndS] = secp256k1.sign(getBytes(digest), this.#key, form);
    return toHex(Uint8Array.from([...rAndS, 27 + recovery]));
  }
}
