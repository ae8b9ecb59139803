/**
 * Checks a log of receipts: that none is missing, that each is as it was written, that they make the roots that were
 * anchored, and, where no anchor holds them yet, that the operator signed them.
 */
import type { Hex } from "../../protocol/hash.ts";
import { LOST } from "../../protocol/receipt.ts";
import { receiptRoot } from "../../protocol/receiptTree.ts";
import { type Anchor, type AuditChain, dayOf } from "./chain.ts";
import type { Entry } from "./log.ts";

/** What a log is checked against. */
export interface CheckContext {
  chain: Pick<AuditChain, "isSigned">;
  anchors: readonly Anchor[];
  custodian: Hex;
}

/** What came of it. */
export interface Report {
  /** A sentence for each. */
  findings: string[];
  /** Receipts in the log. */
  receipts: number;
  /** The last number in the log. */
  last: number;
  /** The last number that is anchored; zero for none. */
  anchoredTo: number;
}

/** As many receipts, and more, as are written together: a signature may reach back over the end of an anchor. */
const REMEMBERED = 2_000;

/** No gateway anchors as many at once: whoever did had the operator's key. */
const WIDEST_RUN = 1 << 20;

export class LogCheck {
  readonly #context: CheckContext;
  readonly #findings: string[] = [];
  /** Anchors whose run is not complete yet. */
  readonly #ahead: Anchor[];
  /** Digests of this run, and of some before it, by number. */
  readonly #digests = new Map<number, Hex>();
  /** The receipts of this run that carry a signature. */
  #ends: Entry[] = [];
  #next = 1;
  #receipts = 0;
  #last = 0;
  /** Up to here, receipts are anchored or signed. */
  #vouchedTo = 0;

  constructor(context: CheckContext) {
    this.#context = context;
    this.#ahead = [...context.anchors];
  }

  /** Take the next receipt of the log. */
  async add(entry: Entry): Promise<void> {
    const { sequence, digest, isWhole, signed } = entry;
    this.#receipts += 1;
    if (sequence < this.#next) {
      this.#findings.push(`There is a receipt under the number ${sequence}, which no gateway gives.`);
      return;
    }
    await this.#goTo(sequence);
    if (!isWhole) this.#findings.push(`Receipt ${sequence} was changed after it was written.`);
    this.#digests.set(sequence, digest);
    if (signed) this.#ends.push(entry);
    this.#last = sequence;
    this.#next = sequence + 1;
    await this.#settle();
  }

  /** Say what came of it. @param given the last number that the gateway says it gave */
  async end(given: number): Promise<Report> {
    const anchoredTo = this.#context.anchors.at(-1)?.last ?? 0;
    await this.#goTo(Math.max(given, anchoredTo, this.#last) + 1);
    if (this.#vouchedTo < this.#last) {
      this.#findings.push(`${are(this.#vouchedTo + 1, this.#last)} neither anchored nor signed.`);
    }
    return { findings: this.#findings, receipts: this.#receipts, last: this.#last, anchoredTo };
  }

  async #goTo(sequence: number): Promise<void> {
    if (sequence > this.#next) this.#findings.push(`${are(this.#next, sequence - 1)} missing from the log.`);
    this.#next = sequence;
    await this.#settle();
  }

  /** Check what is complete. */
  async #settle(): Promise<void> {
    for (let [anchor] = this.#ahead; anchor && anchor.last < this.#next; [anchor] = this.#ahead) {
      this.#ahead.shift();
      await this.#checkAnchored(anchor);
    }
    if (this.#ahead.length > 0) return;
    for (const end of this.#ends.splice(0)) await this.#checkUnanchored(end);
    this.#forgetLongBefore(this.#next);
  }

  async #checkAnchored(anchor: Anchor): Promise<void> {
    const { first, last, root } = anchor;
    const ends = this.#ends.filter(({ sequence }) => sequence <= last);
    this.#ends = this.#ends.filter(({ sequence }) => sequence > last);
    this.#vouchedTo = last;
    if (last - first >= WIDEST_RUN || this.#rootOf(first, last) !== root) {
      this.#findings.push(`${are(first, last)} not what was anchored on ${dayOf(anchor)}.`);
      for (const end of ends) await this.#checkSigned(end);
    }
    this.#forgetLongBefore(last);
  }

  #forgetLongBefore(sequence: number): void {
    for (const number of this.#digests.keys()) {
      if (number > sequence - REMEMBERED) break;
      this.#digests.delete(number);
    }
  }

  async #checkUnanchored(end: Entry): Promise<void> {
    const first = end.signed?.first ?? end.sequence;
    if (first > this.#vouchedTo + 1) {
      this.#findings.push(`${are(this.#vouchedTo + 1, first - 1)} neither anchored nor signed.`);
    }
    this.#vouchedTo = end.sequence;
    await this.#checkSigned(end);
  }

  /** Whether the operator signed those that were written together. Where one is missing, that is said already. */
  async #checkSigned({ sequence: last, signed }: Entry): Promise<void> {
    if (!signed) return;
    const { first, signedAt, signature } = signed;
    for (let number = first; number <= last; number++) if (!this.#digests.has(number)) return;
    const { chain, custodian } = this.#context;
    const range = { first: BigInt(first), last: BigInt(last), root: this.#rootOf(first, last) };
    if (await chain.isSigned({ custodian, ...range, signedAt: BigInt(signedAt) }, signature)) return;
    const which = first === last ? "it" : "one of them";
    this.#findings.push(
      `${are(first, last)} not what the operator signed: ${which}, or the signature, was changed.`,
    );
  }

  #rootOf(first: number, last: number): Hex {
    const length = last - first + 1;
    const receipts = Array.from({ length }, (_, at) => this.#digests.get(first + at) ?? LOST);
    return receiptRoot({ first: BigInt(first), receipts });
  }
}

/** `Receipt 3 is`, `Receipts 3 to 5 are`. */
function are(first: number, last: number): string {
  return first === last ? `Receipt ${first} is` : `Receipts ${first} to ${last} are`;
}
