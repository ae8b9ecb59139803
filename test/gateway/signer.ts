/** The operator's key for tests without a chain: it signs receipts, and sends nothing. */
import { Operator } from "../../gateway/enrolment/operator.ts";
import type { Hex } from "../../protocol/hash.ts";

export const CUSTODIAN: Hex = `0x${"c0".repeat(20)}`;
export const LEDGER: Hex = `0x${"1e".repeat(20)}`;
export const CHAIN_ID = 31337;
export const OPERATOR_KEY: Hex = `0x${"0b".repeat(32)}`;

export const signer = new Operator({
  ledger: LEDGER,
  chainId: CHAIN_ID,
  custodian: CUSTODIAN,
  operatorKey: OPERATOR_KEY,
});
