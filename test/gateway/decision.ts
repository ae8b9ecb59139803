/** What a gateway records, where a test wants any decision. */
import type { DecisionRecord } from "../../gateway/audit/audit.ts";
import { CHAIN_ID } from "./signer.ts";

export const DECISION: DecisionRecord = {
  caller: `0x${"ca".repeat(20)}`,
  tokenId: "9d3a2f0e-6f0b-4a57-9f57-2b8d4d1f7c11",
  purpose: "TREAT",
  action: "VIEW",
  route: "WADO-RS instance frames",
  reason: "permitted",
  emergency: false,
  exams: [`0x${"e1".repeat(32)}`],
  chainId: CHAIN_ID,
  blockNumber: null,
  blockHash: null,
};
