/** `/relay`: patients hand in what they signed, and ask what became of it. */
import type { FastifyInstance } from "fastify";
import { z } from "zod";
import type { Hex } from "../../protocol/hash.ts";
import type { Gate } from "../access/gate.ts";
import type { Limits } from "../operations/limits.ts";
import { Problem } from "../problem.ts";
import type { Relay } from "./relay.ts";
import { readSignedAct } from "./signedAct.ts";

export type RelayRoutesContext = {
  /** Null where the gateway has no key to send with. */
  relay: Relay | null;
  gate: Pick<Gate, "signedIn">;
  limits: Pick<Limits, "countSignIn" | "requireFewRefusals">;
  chainId: number;
  consentLedger: Hex;
};

const idSchema = z.object({ id: z.uuid() });

export function registerRelayRoutes(app: FastifyInstance, context: RelayRoutesContext): void {
  const { gate, limits } = context;

  app.post("/relay", async (request, reply) => {
    const relay = relayOf(context);
    await limits.requireFewRefusals(request);
    await limits.countSignIn(request);
    const taken = await relay.take(readSignedAct(request.body, context));
    return reply.code(202).header("location", `/relay/${taken.id}`).send(taken);
  });

  app.get("/relay/:id", async (request) => {
    const relay = relayOf(context);
    await limits.requireFewRefusals(request);
    const parsed = idSchema.safeParse(request.params);
    if (!parsed.success) throw new Problem("not-found");
    return relay.find(parsed.data.id);
  });

  app.get("/relay", async (request) => {
    const { address } = await gate.signedIn(request);
    return relayOf(context).queueOf(address);
  });
}

/** @throws {Problem} `relay-off` */
function relayOf({ relay }: RelayRoutesContext): Relay {
  if (!relay) throw new Problem("relay-off");
  return relay;
}
