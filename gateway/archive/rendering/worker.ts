/** The thread that draws: decoding must not hold up the gateway's other requests. */
import { parentPort } from "node:worker_threads";
import { type DrawJob, draw } from "./draw.ts";

/** What the thread is sent, and what it answers with. */
export type DrawRequest = { id: number; job: DrawJob };
export type DrawAnswer = { id: number } & ({ picture: Uint8Array } | { error: string });

parentPort?.on("message", async ({ id, job }: DrawRequest) => {
  const answer = await draw(job).then(
    (picture): DrawAnswer => ({ id, picture }),
    (error: unknown): DrawAnswer => ({ id, error: error instanceof Error ? error.message : String(error) }),
  );
  parentPort?.postMessage(answer);
});
