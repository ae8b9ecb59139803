/** What is recorded about an exam, for its patient: in clear, and each with what proves it. */
import { envelopeProof, envelopesRoot } from "../../protocol/envelope.ts";
import type { Hex } from "../../protocol/hash.ts";
import type { OwnReceipt } from "../../protocol/receipt.ts";
import type { Database } from "../database/database.ts";
import { receiptsAbout } from "./aboutExams.ts";
import { ReceiptProofs } from "./receiptProofs.ts";

/** Receipts in one answer. */
const PAGE = 50;

/** The receipts about an exam, newest first, from those before a number on. */
export async function listReceipts(
  { database, custodian }: { database: Database; custodian: Hex },
  examId: Hex,
  before: number,
): Promise<{ receipts: OwnReceipt[]; next: number | null }> {
  const { found, next } = await receiptsAbout(database, [examId], { before, limit: PAGE });
  const proofs = new ReceiptProofs(database);
  const receipts: OwnReceipt[] = [];
  for (const { opened, decided, sequence, envelopes } of found) {
    const proof = { signed: await proofs.signed(sequence), anchored: await proofs.anchored(sequence) };
    for (const { envelope, contents } of opened) {
      const siblings = envelopeProof(envelopes, envelope);
      const sealed = { envelopes: envelopesRoot(envelopes), opened: { ...contents, siblings } };
      receipts.push({ ...decided, custodian, sequence, ...sealed, ...proof });
    }
  }
  return { receipts, next };
}
