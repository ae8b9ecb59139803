/** Calldata for the acts and queries of ./acts.ts, and the signatures in it. */
import { type Interface, ZeroHash } from "ethers";
import { typedDataDomain } from "../../../protocol/typedData.ts";
import { ACTS, argumentsOf, directly, type Message, signAct, termsWord } from "../signing.ts";
import { type CustodianAct, NOBODY, type PatientAct, type Query, type Step, type Terms } from "./acts.ts";
import {
  actionsMask,
  addressOf,
  granteeWord,
  idOf,
  membershipOf,
  partsOf,
  purposesMask,
  resourceWord,
  rootOf,
  walletOf,
  wordOf,
} from "./words.ts";

const CHAIN_ID = 31337;

/** The function that a step calls. */
export function functionOf({ act, signed }: Step): string {
  return signed ? `${act.name}BySig` : act.name;
}

/** Calldata of a step. */
export async function encodeStep(step: Step, contract: Interface, ledger: string): Promise<string> {
  const method = functionOf(step);
  const message = messageOf(step);
  const signature = step.signed && (await signatureOf(step, step.signed.signer, message, ledger));
  return contract.encodeFunctionData(method, argumentsOf(contract, method, message, signature));
}

/** Calldata of a query: of `checkUnclaimed` where it shows a membership. */
export function encodeQuery(query: Query, contract: Interface): string {
  const { custodian, patient, commitment } = partsOf(query.exam);
  const word = (field: Query["dirty"], address: string) =>
    BigInt(address) | (query.dirty === field ? 1n << 160n : 0n);
  const fields = {
    custodian: word("custodian", custodian),
    patient: word("patient", patient),
    commitment,
    seriesCommitment: query.series === undefined ? ZeroHash : wordOf(query.series),
    reader: word("reader", addressOf(query.reader)),
    granteeSalt: query.salt === undefined ? ZeroHash : wordOf(query.salt),
    purpose: purposesMask(query.purposes),
    action: actionsMask(query.actions),
    time: query.time,
  };
  return query.membership
    ? contract.encodeFunctionData("checkUnclaimed", [fields, membershipOf(query.exam, query.membership)])
    : contract.encodeFunctionData("check", [fields]);
}

function signatureOf({ act }: Step, signer: string, message: Message, ledger: string): Promise<string> {
  const type = ACTS.find((each) => directly(each) === act.name);
  if (!type) throw new Error(`Nobody signs ${act.name}.`);
  return signAct(walletOf(signer), typedDataDomain(CHAIN_ID, ledger), type, message);
}

/** All that a step says, under the names of the contract's parameters and of the fields that are signed. */
function messageOf({ act, patient = NOBODY, signed }: Step): Message {
  return {
    patient: addressOf(patient),
    deadline: BigInt(signed?.deadline ?? 0),
    nonce: signed?.nonces[0],
    nonces: signed?.nonces,
    epoch: signed?.epoch,
    ...fieldsOf(act),
  };
}

function fieldsOf(act: CustodianAct | PatientAct): Record<string, unknown> {
  switch (act.name) {
    case "setOperator":
      return { operator: addressOf(act.operator), named: act.named };
    case "register":
    case "amend":
      return { ...partsOf(act.exam), manifestRoot: wordOf(act.manifest) };
    case "registerBatch":
      return {
        custodian: addressOf(act.custodian),
        batchRoot: rootOf(act.batch),
        count: act.count,
      };
    case "claim":
      return { ...partsOf(act.exam), membership: membershipOf(act.exam, act.membership) };
    case "retire":
      return { patient: addressOf(act.patient), commitment: wordOf(act.of) };
    case "grant":
    case "grantBatch":
      return { ...resourcesOf(act.resources), grantee: granteeWord(act.grantee), ...termsOf(act.terms) };
    case "revoke":
    case "revokeBatch":
      return { ...resourcesOf(act.resources), grantee: granteeWord(act.grantee) };
    case "revokeAll":
      return {};
    case "nameGuardian":
      return { guardian: addressOf(act.guardian), until: act.until };
    case "handOver":
      return { examId: idOf(act.exam), to: addressOf(act.to) };
    case "accept":
      return { examId: idOf(act.exam) };
  }
}

function resourcesOf(resources: string[]) {
  const words = resources.map(resourceWord);
  return { resource: words[0], resources: words };
}

/** What is signed has no room for unknown bits: they come with the word alone. */
function termsOf({ notBefore, notAfter, purposes, actions, unknownBits }: Terms) {
  const fields = { notBefore, notAfter, purposes: purposesMask(purposes), actions: actionsMask(actions) };
  return { ...fields, terms: termsWord(fields) | (unknownBits ? 1n << 128n : 0n) };
}
