/**
 * Acts that a patient signs and somebody else sends: which functions of the ledger's they are, what these take, and
 * what is signed.
 */
import { type BaseContract, type Interface, type Signer, solidityPacked, type TypedDataDomain } from "ethers";
import { ACT_TYPES, type Act } from "../../protocol/typedData.ts";

/** The acts that have a `…BySig` form. */
export const ACTS = Object.keys(ACT_TYPES) as Act[];

/** Whoever signs typed data under an address, be it with a key or as a contract. */
export type Signatory = Pick<Signer, "getAddress" | "signTypedData">;

/** What is signed for an act: a value for each field of its type, by name. */
export type Message = { patient: string; deadline: bigint; [field: string]: unknown };

/** The function by which a patient, or a guardian, does an act. */
export const directly = (act: Act) => `${act.charAt(0).toLowerCase()}${act.slice(1)}`;

/** The function by which anybody does it for them. */
export const bySignature = (act: Act) => `${directly(act)}BySig`;

/** A signature over an act; `by` need not be the patient that the message names. */
export function signAct(by: Signatory, domain: TypedDataDomain, act: Act, message: Message): Promise<string> {
  return by.signTypedData(domain, { [act]: [...ACT_TYPES[act]] }, message);
}

/**
 * What a function of the ledger's takes: it calls its parameters as the typed data calls its fields. Terms are those of the
 * message's fields, unless it has a word of them itself.
 */
export function argumentsOf(
  ledger: Interface,
  method: string,
  message: Message,
  signature = "0x",
): unknown[] {
  const { patient, deadline } = message;
  const values: Record<string, unknown> = {
    terms: "notBefore" in message ? termsWord(message) : undefined,
    ...message,
    by: { patient, deadline, signature },
  };
  return ledger.getFunction(method)?.inputs.map(({ name }) => values[name]) ?? [];
}

/** The nonce, or nonces, that a signature for an act must name now. */
export async function noncesOf(ledger: BaseContract, act: Act, message: Message) {
  const { patient, resource, resources, grantee, guardian, examId } = message;
  const ask = async (method: string, ...about: unknown[]) => ledger.getFunction(method).staticCall(...about);
  switch (act) {
    case "Grant":
    case "Revoke":
      return { nonce: (await ask("grantOf", patient, resource, grantee)).nonce };
    case "GrantBatch":
    case "RevokeBatch": {
      const slots = [resources].flat().map((each) => ask("grantOf", patient, each, grantee));
      return { nonces: (await Promise.all(slots)).map(({ nonce }) => nonce) };
    }
    case "RevokeAll":
      return { nonce: (await ask("patientOf", patient)).revocations };
    case "NameGuardian":
      return { nonce: (await ask("guardianOf", patient, guardian)).nonce };
    case "HandOver":
    case "Accept":
      return { nonce: (await ask("offerOf", examId)).nonce };
  }
}

/** The word of terms as they are, be they well formed or not. */
export function termsWord({ notBefore, notAfter, purposes, actions }: Record<string, unknown>): bigint {
  const fields = ["uint16", "uint32", "uint40", "uint40"];
  return BigInt(solidityPacked(fields, [actions, purposes, notAfter, notBefore]));
}
