/**
 * A patient with exams on a ledger of their own, who signs what others send. The clock stands where a test puts it, and
 * what a test does can be taken back.
 */
import type { ContractTransactionReceipt, Log, TypedDataDomain } from "ethers";
import { type ExamParts, examId, granteeOf, newSalt } from "../../protocol/ids.ts";
import type { LedgerReason } from "../../protocol/reasons.ts";
import { actionsToMask, LATEST, purposesToMask } from "../../protocol/terms.ts";
import { type Act, typedDataDomain } from "../../protocol/typedData.ts";
import {
  argumentsOf,
  bySignature,
  directly,
  type Message,
  noncesOf,
  type Signatory,
  signAct,
} from "./signing.ts";
import { check, type LedgerQuery, type OpenLedger, openLedger } from "./world.ts";

/** How long signatures may be used here, in seconds. */
const HOUR = 3600;

type Name = keyof OpenLedger["people"];

/** What an event is told by, wherever it stands in a block. */
export type Told = Pick<Log, "topics" | "data">;

/** A ledger, a patient, whoever else has to do with them, and what they do. */
export class Scene {
  readonly world: OpenLedger;
  readonly patient: Signatory;
  /** Addresses, the patient's among them. */
  readonly of: Readonly<Record<Name, string>>;
  readonly domain: TypedDataDomain;
  /** Two exams of the patient's, and one that another patient offers to them. */
  readonly exams: readonly [mine: ExamParts, alsoMine: ExamParts, offered: ExamParts];

  private constructor(
    world: OpenLedger,
    patient: Signatory,
    of: Record<Name, string>,
    domain: TypedDataDomain,
  ) {
    this.world = world;
    this.patient = patient;
    this.of = of;
    this.domain = domain;
    const examOf = (owner: string) => ({
      custodian: of.custodian,
      patient: owner,
      commitment: newSalt(),
    });
    this.exams = [examOf(of.patient), examOf(of.patient), examOf(of.otherPatient)];
  }

  /** @param wallet makes the patient; one with a key of its own if left out */
  static async open(wallet?: (world: OpenLedger) => Promise<Signatory>): Promise<Scene> {
    const world = await openLedger();
    await world.ethers.provider.send("evm_setIntervalMining", [0]);
    const patient = (await wallet?.(world)) ?? world.people.patient;
    const everybody = Object.entries({ ...world.people, patient });
    const named = everybody.map(async ([name, person]) => [name, await person.getAddress()]);
    const of = Object.fromEntries(await Promise.all(named));
    const { chainId } = await world.ethers.provider.getNetwork();
    const domain = typedDataDomain(Number(chainId), await world.ledger.getAddress());
    const scene = new Scene(world, patient, of, domain);
    await scene.#prepare();
    return scene;
  }

  async #prepare(): Promise<void> {
    await this.world.ethers.provider.send("hardhat_setBalance", [this.of.patient, "0x3635c9adc5dea00000"]);
    for (const { custodian, patient, commitment } of this.exams) {
      await this.call("custodian", "register", custodian, patient, commitment, newSalt());
    }
    await this.call("otherPatient", "handOver", examId(this.exams[2]), this.of.patient);
  }

  close(): Promise<void> {
    return this.world.close();
  }

  /** What the patient signs next for an act, as the ledger stands; fields in `bent` go over it. */
  async next(act: Act, bent: Partial<Message> = {}): Promise<Message> {
    const { ledger, now } = this.world;
    const patient = bent.patient ?? this.of.patient;
    const deadline = BigInt((await now()) + HOUR);
    const message = { ...this.#subject(act), patient, deadline, ...bent };
    const { epoch } = await ledger.getFunction("patientOf").staticCall(patient);
    return {
      ...message,
      ...(await noncesOf(ledger, act, message)),
      ...(act !== "RevokeAll" && { epoch }),
      ...bent,
    };
  }

  /** What an act is about, where a test does not say otherwise. */
  #subject(act: Act): Record<string, unknown> {
    const [mine, alsoMine, offered] = this.exams.map(examId);
    const grantee = granteeOf(this.of.reader);
    const terms = {
      notBefore: 0,
      notAfter: LATEST,
      purposes: purposesToMask(["TREAT"]),
      // Not the number of the purposes, which else could stand in their place.
      actions: actionsToMask(["VIEW", "DOWNLOAD"]),
    };
    const subjects: Record<Act, Record<string, unknown>> = {
      Grant: { resource: mine, grantee, ...terms },
      GrantBatch: { resources: [mine, alsoMine], grantee, ...terms },
      Revoke: { resource: mine, grantee },
      RevokeBatch: { resources: [mine, alsoMine], grantee },
      RevokeAll: {},
      NameGuardian: { guardian: this.of.stranger, until: LATEST },
      HandOver: { examId: mine, to: this.of.otherPatient },
      Accept: { examId: offered },
    };
    return subjects[act];
  }

  /** The patient's signature; `by` somebody else, or for another domain, where a test says so. */
  sign(act: Act, message: Message, by = this.patient, domain = this.domain): Promise<string> {
    return signAct(by, domain, act, message);
  }

  /** A stranger sends what was signed; the events that come of it. @throws what the ledger refuses it with */
  submit(act: Act, message: Message, signature: string): Promise<Told[]> {
    const method = bySignature(act);
    return this.call(
      "stranger",
      method,
      ...argumentsOf(this.world.ledger.interface, method, message, signature),
    );
  }

  /** Signs and sends what the patient would sign next. */
  async submitNext(act: Act, bent: Partial<Message> = {}): Promise<Told[]> {
    const message = await this.next(act, bent);
    return this.submit(act, message, await this.sign(act, message));
  }

  /** Somebody, the patient if left out, does what a message says by a transaction of their own. */
  act(act: Act, message: Message, who: Name = "patient"): Promise<Told[]> {
    const method = directly(act);
    return this.call(who, method, ...argumentsOf(this.world.ledger.interface, method, message));
  }

  /** Any call of somebody's; the events that come of it. Contract wallets call without asking their owners here. */
  async call(who: Name, method: string, ...parameters: unknown[]): Promise<Told[]> {
    const sender = await this.world.ethers.getImpersonatedSigner(this.of[who]);
    const sent = await this.world.ledger
      .connect(sender)
      .getFunction(method)
      .send(...parameters);
    const receipt = (await sent.wait()) as ContractTransactionReceipt;
    return receipt.logs.map(({ topics, data }) => ({ topics, data }));
  }

  /** What the ledger says to the reader's wish to view an exam for treatment, the patient's first if left out. */
  async decide(
    exam: ExamParts = this.exams[0],
    bent: Partial<LedgerQuery> = {},
  ): Promise<LedgerReason | undefined> {
    const { reason } = await check(this.world.ledger, {
      ...exam,
      seriesCommitment: `0x${"0".repeat(64)}`,
      reader: this.of.reader,
      purpose: BigInt(purposesToMask(["TREAT"])),
      action: BigInt(actionsToMask(["VIEW"])),
      time: BigInt(await this.world.now()),
      ...bent,
    });
    return reason;
  }

  /** The time of the next block, in seconds. */
  async at(time: number | bigint): Promise<void> {
    await this.world.ethers.provider.send("evm_setNextBlockTimestamp", [Number(time)]);
  }

  /** The next block has the time of the last: acts that only stand within their second are done again within it. */
  async inTheSameSecond(): Promise<void> {
    await this.at(await this.world.now());
  }

  /** The root over all that the ledger stores. */
  async storage(): Promise<string> {
    const proof = [await this.world.ledger.getAddress(), [], "latest"];
    return (await this.world.ethers.provider.send("eth_getProof", proof)).storageHash;
  }

  /** The chain as it is now, to come back to once. */
  snapshot(): Promise<string> {
    return this.world.ethers.provider.send("evm_snapshot", []);
  }

  async restore(snapshot: string): Promise<void> {
    await this.world.ethers.provider.send("evm_revert", [snapshot]);
  }

  /** What a story gives, after which the chain is as it was before. */
  async rewinding<T>(story: () => Promise<T>): Promise<T> {
    const before = await this.snapshot();
    try {
      return await story();
    } finally {
      await this.restore(before);
    }
  }
}
