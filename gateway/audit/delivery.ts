/** Receipts on their way: each goes with the answer that it is about, permit or problem, streamed or not. */
import type { FastifyInstance } from "fastify";
import { encodeReceipt, RECEIPT_HEADER, type Receipt } from "../../protocol/receipt.ts";

declare module "fastify" {
  interface FastifyRequest {
    /** Of the last decision that this request led to. */
    receipt: Receipt | null;
  }
}

/** Let every answer carry the receipt of the decision that it rests on. */
export function deliverReceipts(app: FastifyInstance): void {
  app.decorateRequest("receipt", null);
  app.addHook("onSend", async ({ receipt }, reply) => {
    if (receipt) reply.header(RECEIPT_HEADER, encodeReceipt(receipt));
  });
}
