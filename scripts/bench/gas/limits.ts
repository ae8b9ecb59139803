/** What the ledger promises of its gas, and what to hold beside it. */
import { BATCH_SIZE } from "./acts/custody.ts";
import type { Acts, Peers } from "./measure.ts";

/** One promise: an act costs `atMost`. */
export type Limit = {
  act: keyof Acts;
  /** In gas. */
  atMost: number;
  /** How many exams the act is for, where the promise is for each of them. */
  each?: number;
  /** The peers' acts that are nearest, from the cheapest on. */
  peers: readonly (keyof Peers)[];
};

export const LIMITS: readonly Limit[] = [
  {
    act: "grant, cold",
    atMost: 47_500,
    peers: ["OpenZeppelin ERC-20 approve", "Permit2 approve", "EAS attest", "EAS attest, with the resource"],
  },
  {
    act: "change or extend a grant",
    atMost: 30_400,
    peers: ["OpenZeppelin ERC-20 approve, another amount", "Permit2 approve, another amount"],
  },
  {
    act: "revoke",
    atMost: 30_000,
    peers: [
      "OpenZeppelin ERC-20 approve, to zero",
      "Permit2 lockdown",
      "EAS revoke",
      "EAS revoke, with the resource",
    ],
  },
  {
    act: "grantBySig, cold",
    atMost: 57_500,
    peers: ["Permit2 permit", "EAS attestByDelegation", "EAS attestByDelegation, with the resource"],
  },
  {
    act: "grantBatch of ten",
    atMost: 262_000,
    peers: ["Permit2 permit of ten", "EAS multiAttest of ten", "EAS multiAttest of ten, with the resources"],
  },
  { act: "revokeAll, first", atMost: 46_000, peers: [] },
  { act: "revokeAll, later", atMost: 29_000, peers: [] },
  { act: "register, by an operator", atMost: 74_000, peers: [] },
  { act: "registerBatch of 1,000", atMost: 50, each: BATCH_SIZE, peers: [] },
];

/** What an act costs by the measure of its limit: as a whole, or for each exam. */
export function costUnder({ act, each = 1 }: Limit, acts: Acts): { gas: number; floor: number } {
  const { gas, floor } = acts[act];
  return { gas: gas / each, floor: floor / each };
}

/** The limits that do not hold. */
export function exceeded(acts: Acts): Limit[] {
  return LIMITS.filter((limit) => costUnder(limit, acts).gas > limit.atMost);
}
