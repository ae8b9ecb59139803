/** The words that stand on chain for the plain names of ./acts.ts: addresses, hashes and packed terms. */
import { HDNodeWallet, id, Mnemonic, ZeroAddress } from "ethers";
import type { Hex } from "../../../protocol/hash.ts";
import {
  ALL_EXAMS_RESOURCE,
  blindedGrantee,
  type ExamParts,
  examId,
  examsAtResource,
  granteeOf,
  pointerLeaf,
  seriesResource,
} from "../../../protocol/ids.ts";
import { merkleProof, merkleRoot } from "../../../protocol/merkle.ts";
import { ACTIONS, type Action, PURPOSES, type Purpose } from "../../../protocol/terms.ts";
import { type Batch, type Membership, NOBODY } from "./acts.ts";
import { PEOPLE } from "./cast.ts";

const MNEMONIC = Mnemonic.fromPhrase("test test test test test test test test test test test junk");
const ROOT = HDNodeWallet.fromMnemonic(MNEMONIC, "m/44'/60'/0'/0");
const WALLETS = new Map<string, HDNodeWallet>(PEOPLE.map((name, index) => [name, ROOT.deriveChild(index)]));

/** Somebody's account: one of the local chain's, which have ether. */
export function walletOf(name: string): HDNodeWallet {
  const wallet = WALLETS.get(name);
  if (!wallet) throw new Error(`Nobody here is called ${name}.`);
  return wallet;
}

/** Somebody's address. */
export function addressOf(name: string): string {
  return name === NOBODY ? ZeroAddress : walletOf(name).address;
}

/** The id of an exam. */
export function idOf(exam: string): Hex {
  return examId(partsOf(exam));
}

/** The word that stands for any text: a commitment, a manifest, a salt. */
export function wordOf(text: string): Hex {
  return id(text) as Hex;
}

/** What an exam is registered by. */
export function partsOf(exam: string): ExamParts {
  const [custodian = "", patient = "", of = ""] = exam.split("/");
  return { custodian: addressOf(custodian), patient: addressOf(patient), commitment: wordOf(of) };
}

/** What a grant covers. */
export function resourceWord(resource: string): Hex {
  const [custodian = "", patient, of, series] = resource.split("/");
  if (resource === "*") return ALL_EXAMS_RESOURCE;
  if (patient === "*") return examsAtResource(addressOf(custodian));
  const exam = idOf(`${custodian}/${patient}/${of}`);
  return series === undefined ? exam : seriesResource(exam, wordOf(series));
}

/** Who a grant is for. */
export function granteeWord(grantee: string): Hex {
  const [name = "", salt] = grantee.split("#");
  return salt === undefined ? granteeOf(addressOf(name)) : blindedGrantee(addressOf(name), wordOf(salt));
}

/** Purposes as a mask; none are 0. */
export function purposesMask(purposes: readonly Purpose[]): number {
  return maskOf(PURPOSES, purposes);
}

/** Actions as a mask; none are 0. */
export function actionsMask(actions: readonly Action[]): number {
  return maskOf(ACTIONS, actions);
}

/** The root under which a batch is registered. */
export function rootOf(batch: Batch): Hex {
  return merkleRoot(leavesOf(batch));
}

function maskOf<T>(all: readonly T[], chosen: readonly T[]): number {
  return chosen.reduce((mask, name) => mask | (1 << all.indexOf(name)), 0);
}

function leavesOf(batch: Batch): Hex[] {
  return batch.map(({ exam, manifest }) => pointerLeaf(idOf(exam), wordOf(manifest)));
}

/** What is shown for an exam: with a proof of its pointer if that is in the batch, and of another if not. */
export function membershipOf(exam: string, { batch, manifest, proven }: Membership) {
  const leaves = leavesOf(batch);
  const own = pointerLeaf(idOf(exam), wordOf(manifest));
  const shown = leaves.includes(own) ? own : leaves[0];
  const proof = shown === undefined ? [] : merkleProof(leaves, shown);
  const tampered = proven ? proof : [...proof, wordOf("tampered")];
  return { batchRoot: rootOf(batch), manifestRoot: wordOf(manifest), proof: tampered };
}
