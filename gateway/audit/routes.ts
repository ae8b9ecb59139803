/** `GET /exams/:examId/receipts`: who has looked, and what proves it. */
import type { FastifyInstance } from "fastify";
import { z } from "zod";
import type { Hex } from "../../protocol/hash.ts";
import type { OwnReceipts } from "../../protocol/receipt.ts";
import type { Gate } from "../access/gate.ts";
import type { Database } from "../database/database.ts";
import type { Decider } from "../decision/decider.ts";
import type { ExamDirectory } from "../exams/directory.ts";
import { stillOwned } from "../exams/ownership.ts";
import { Problem } from "../problem.ts";
import { listReceipts } from "./ownReceipts.ts";

export type ReceiptRoutesContext = {
  database: Database;
  directory: ExamDirectory;
  gate: Gate;
  decider: Decider;
  custodian: Hex;
  /** Null where receipts are not anchored. */
  accessLog: Hex | null;
};

const querySchema = z.object({ before: z.coerce.number().int().positive().default(Number.MAX_SAFE_INTEGER) });

export function registerReceiptRoutes(app: FastifyInstance, context: ReceiptRoutesContext): void {
  const { directory, gate, decider, accessLog } = context;

  app.get<{ Params: { examId: string } }>(
    "/exams/:examId/receipts",
    async (request): Promise<OwnReceipts> => {
      const { address } = await gate.signedIn(request);
      const query = querySchema.safeParse(request.query);
      if (!query.success) throw new Problem("malformed-request", "`before` is a receipt's number.");
      const examId = await ownExam(address, request.params.examId);
      return { accessLog, ...(await listReceipts(context, examId, query.data.before)) };
    },
  );

  /** The id of an exam that the caller owns, and has not handed over. @throws {Problem} `not-granted` */
  async function ownExam(address: Hex, named: string): Promise<Hex> {
    const exam = await directory.byId(named as Hex);
    const [own] = exam?.patient === address ? await stillOwned(decider, [exam]) : [];
    if (!own) throw new Problem("not-granted");
    return own.examId;
  }
}
