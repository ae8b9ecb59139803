/** A patient's signed act, as it was handed in: what it is, which slots it writes, and the call that carries it. */
import { TypedDataEncoder } from "ethers";
import { isErc6492Signature, parseErc6492Signature } from "viem";
import type { Hex } from "../../protocol/hash.ts";
import { type RelayRequest, relayRequestSchema } from "../../protocol/relay.ts";
import { packMasks } from "../../protocol/terms.ts";
import { ACT_TYPES, type Act, typedDataDomain } from "../../protocol/typedData.ts";
import { ledgerInterface } from "../chain/logs.ts";
import type { relaySlots } from "../database/schema.ts";
import { Problem } from "../problem.ts";

/** A slot that an act writes, and the nonce that it was signed for; nulls stand for all of the patient's. */
export type SignedSlot = Pick<typeof relaySlots.$inferSelect, "resource" | "grantee" | "nonce" | "closes">;

/** The call that puts a wallet on the chain (ERC-6492). */
export type Deployment = { factory: Hex; factoryData: Hex };

export type SignedAct = {
  act: Act;
  /** In lower case. */
  patient: Hex;
  /** What was signed (EIP-712). */
  digest: Hex;
  /** The patient's epoch that it was signed for; null for `RevokeAll`, which is bound to none. */
  epoch: bigint | null;
  /** Seconds since 1970-01-01 UTC. */
  deadline: bigint;
  slots: SignedSlot[];
  /** The ledger's call, with the signature that the patient's wallet takes once it is on the chain. */
  data: Hex;
  /** As it was signed, with its deployment where it has one. */
  signature: Hex;
  deployment: Deployment | null;
};

/** Acts that shut somebody out. */
const CLOSING: readonly Act[] = ["Revoke", "RevokeBatch", "RevokeAll"];

/** What was sent as an act. @throws {Problem} `malformed-request` */
export function readSignedAct(body: unknown, domain: { chainId: number; consentLedger: Hex }): SignedAct {
  const parsed = relayRequestSchema.safeParse(body);
  if (!parsed.success)
    throw new Problem("malformed-request", "Send an act, its message as it was signed, and the signature.");
  const { act, message } = parsed.data;
  const signature = parsed.data.signature as Hex;
  const wrapped = isErc6492Signature(signature) ? unwrapped(signature) : null;
  return {
    act,
    patient: message.patient.toLowerCase() as Hex,
    digest: TypedDataEncoder.hash(
      typedDataDomain(domain.chainId, domain.consentLedger),
      { [act]: [...ACT_TYPES[act]] },
      message,
    ) as Hex,
    epoch: "epoch" in message ? BigInt(message.epoch) : null,
    deadline: BigInt(message.deadline),
    slots: slotsOf(parsed.data),
    data: encodeAct(parsed.data, wrapped?.signature ?? signature),
    signature,
    deployment: wrapped && { factory: wrapped.factory, factoryData: wrapped.factoryData },
  };
}

function unwrapped(wrapped: Hex): Deployment & { signature: Hex } {
  try {
    const { address, data, signature } = parseErc6492Signature(wrapped);
    if (!address || !data || !signature) throw new Error("It has no deployment.");
    return { factory: address.toLowerCase() as Hex, factoryData: data, signature };
  } catch (cause) {
    throw new Problem(
      "malformed-request",
      "The signature is no ERC-6492 signature, although it ends as one.",
      {
        cause,
      },
    );
  }
}

/** @throws {Problem} `act-malformed` for a batch whose nonces are not as many as its resources */
function slotsOf(request: RelayRequest): SignedSlot[] {
  const { act } = request;
  const closes = CLOSING.includes(act);
  switch (act) {
    case "Grant":
    case "Revoke": {
      const { resource, grantee, nonce } = request.message;
      return [slotOf(resource, grantee, nonce, closes)];
    }
    case "GrantBatch":
    case "RevokeBatch": {
      const { resources, grantee, nonces } = request.message;
      const isEven = resources.length === nonces.length && new Set(resources).size === resources.length;
      if (!isEven) throw new Problem("act-malformed", "A batch names each resource once, with its nonce.");
      return resources.map((resource, position) =>
        slotOf(resource, grantee, nonces[position] ?? "0", closes),
      );
    }
    case "RevokeAll":
      return [slotOf(null, null, request.message.nonce, closes)];
    case "NameGuardian":
    case "HandOver":
    case "Accept":
      return [];
  }
}

/** @throws {Problem} `act-outdated` for a nonce that no slot can have come to */
function slotOf(resource: string | null, grantee: string | null, nonce: string, closes: boolean): SignedSlot {
  if (BigInt(nonce) >= BigInt(Number.MAX_SAFE_INTEGER)) throw new Problem("act-outdated");
  return { resource: resource as Hex | null, grantee: grantee as Hex | null, nonce: Number(nonce), closes };
}

/** The ledger calls its parameters as the typed data calls its fields, but for the word of terms, and who signed. */
function encodeAct({ act, message }: RelayRequest, signature: Hex): Hex {
  const { patient, deadline } = message;
  const values: Record<string, unknown> = {
    ...message,
    ...("notBefore" in message && { terms: packMasks(message) }),
    by: { patient, deadline, signature },
  };
  const method = ledgerInterface.getFunction(`${act.charAt(0).toLowerCase()}${act.slice(1)}BySig`);
  if (!method) throw new Error(`ConsentLedger has no ${act} by signature.`);
  const parameters = method.inputs.map(({ name }) => values[name]);
  return ledgerInterface.encodeFunctionData(method, parameters) as Hex;
}
