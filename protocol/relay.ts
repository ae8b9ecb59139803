/**
 * `/relay`: a patient's signed act, as it is handed to a gateway that sends it and pays for it, and what became of it. A message
 * is the one that was signed (EIP-712), whole numbers of up to 256 bits as decimal text.
 */
import { z } from "zod";
import type { Act } from "./typedData.ts";

const address = z.string().regex(/^0x[0-9a-fA-F]{40}$/);
const word = z.string().regex(/^0x[0-9a-f]{64}$/);
const bytes = z.string().regex(/^0x([0-9a-fA-F]{2})*$/);
const uint256 = z
  .string()
  .regex(/^(0|[1-9]\d{0,77})$/)
  .refine((digits) => BigInt(digits) < 2n ** 256n);
const unsigned = (bits: number) =>
  z
    .int()
    .nonnegative()
    .max(2 ** bits - 1);

/** How many resources one act may name: what a block has room for many times over. */
const MOST_RESOURCES = 200;
const resources = z.array(word).min(1).max(MOST_RESOURCES);
const nonces = z.array(uint256).min(1).max(MOST_RESOURCES);

const terms = {
  notBefore: unsigned(40),
  notAfter: unsigned(40),
  purposes: unsigned(32),
  actions: unsigned(16),
};
const once = { nonce: uint256, epoch: uint256, deadline: uint256 };
const onceEach = { nonces, epoch: uint256, deadline: uint256 };

const acts = {
  Grant: z.strictObject({ patient: address, resource: word, grantee: word, ...terms, ...once }),
  GrantBatch: z.strictObject({ patient: address, resources, grantee: word, ...terms, ...onceEach }),
  Revoke: z.strictObject({ patient: address, resource: word, grantee: word, ...once }),
  RevokeBatch: z.strictObject({ patient: address, resources, grantee: word, ...onceEach }),
  RevokeAll: z.strictObject({ patient: address, nonce: uint256, deadline: uint256 }),
  NameGuardian: z.strictObject({ patient: address, guardian: address, until: unsigned(40), ...once }),
  HandOver: z.strictObject({ patient: address, examId: word, to: address, ...once }),
  Accept: z.strictObject({ patient: address, examId: word, ...once }),
} satisfies Record<Act, z.ZodType>;

/** An act's signature: a key's 65 bytes, a deployed wallet's own (ERC-1271), or one with its wallet's deployment (ERC-6492). */
const signature = bytes.max(20_000);

const requestOf = <A extends Act>(act: A) =>
  z.strictObject({ act: z.literal(act), message: acts[act], signature });

/** `POST /relay`, body: an act (`ACT_TYPES`), and the patient's signature over it. No token: the signature says whose will it is. */
export const relayRequestSchema = z.discriminatedUnion("act", [
  requestOf("Grant"),
  requestOf("GrantBatch"),
  requestOf("Revoke"),
  requestOf("RevokeBatch"),
  requestOf("RevokeAll"),
  requestOf("NameGuardian"),
  requestOf("HandOver"),
  requestOf("Accept"),
]);

/** How far an act is: kept, given to a node, in a block, or refused by the ledger. */
export const RELAY_STATES = ["queued", "sent", "mined", "refused"] as const;

/**
 * `POST /relay` (202) and `GET /relay/:id`: what became of an act. A block may still be reorganised away: then an act that was
 * mined is sent again.
 */
export const relayedSchema = z.object({
  id: z.uuid(),
  state: z.enum(RELAY_STATES),
  /** With `refused`: a code of `reasons.ts`. */
  reason: z.string().nullable(),
  /** The transaction that was sent last, or that was mined; null where none was sent, or somebody else sent the act. */
  transaction: word.nullable(),
  /** With `mined`: the block's number. */
  block: z.int().nonnegative().nullable(),
  /** Once it has waited too long for a block: the call by which the patient's own wallet, or anybody, can send it. */
  direct: z.object({ to: address, data: bytes }).nullable(),
});

/** `GET /relay`: what the caller signed and the ledger does not have for good, with the nonces that it uses up. */
export const relayQueueSchema = z.object({
  acts: z.array(
    relayedSchema.extend({
      /** Slots that it writes, each with the nonce that it was signed for; `resource` and `grantee` are null for `RevokeAll`. */
      slots: z.array(
        z.object({ resource: word.nullable(), grantee: word.nullable(), nonce: z.int().nonnegative() }),
      ),
    }),
  ),
});

export type RelayRequest = z.infer<typeof relayRequestSchema>;
export type RelayState = (typeof RELAY_STATES)[number];
export type Relayed = z.infer<typeof relayedSchema>;
export type RelayQueue = z.infer<typeof relayQueueSchema>;
