/** `GET /fhir/Consent`: a patient's own grants, to that patient. */
import type { FastifyInstance } from "fastify";
import type { Consent } from "fhir/r4.js";
import { z } from "zod";
import type { Hex } from "../../protocol/hash.ts";
import type { Gate } from "../access/gate.ts";
import type { Decider } from "../decision/decider.ts";
import type { CustodianName } from "../exams/custodianName.ts";
import { type GrantsContext, listGrants } from "../exams/grants.ts";
import { Problem } from "../problem.ts";
import type { Site } from "../site.ts";
import { searchset } from "./bundle.ts";
import { FHIR_JSON } from "./coding.ts";
import { consentOf } from "./consent.ts";

export type ConsentRoutesContext = GrantsContext & {
  gate: Gate;
  decider: Decider;
  custodianName: CustodianName;
  site: Site;
  chainId: number;
  consentLedger: Hex;
};

/** What is understood of R4's parameters; others are ignored, as the self link shows. */
const searchSchema = z.object({ status: z.enum(["active", "inactive"]).optional() });

export function consentRoutes(routes: FastifyInstance, context: ConsentRoutesContext): void {
  const { gate, decider, custodian, custodianName, site, chainId, consentLedger } = context;

  routes.get("/Consent", async (request, reply) => {
    const { address } = await gate.signedIn(request);
    const search = searchSchema.safeParse(request.query);
    if (!search.success) throw new Problem("malformed-request", "`status` is active or inactive.");
    const { status } = search.data;
    const found = (await read(address)).filter(
      (consent) => status === undefined || consent.status === status,
    );
    const root = `${site.url}/fhir/Consent`;
    const query = status === undefined ? "" : `?${new URLSearchParams({ status })}`;
    const bundle = searchset(root, [{ relation: "self", url: `${root}${query}` }], found);
    return reply.type(FHIR_JSON).send(JSON.stringify(bundle));
  });

  routes.get<{ Params: { id: string } }>("/Consent/:id", async (request, reply) => {
    const { address } = await gate.signedIn(request);
    const found = (await read(address)).find(({ id }) => id === request.params.id);
    // Somebody else's and one that there is not are alike.
    if (!found) throw new Problem("not-found");
    return reply.type(FHIR_JSON).send(JSON.stringify(found));
  });

  async function read(patient: Hex): Promise<Consent[]> {
    const { clocks } = await decider.now();
    const grants = await listGrants(context, patient, clocks);
    const name = await custodianName.read();
    const about = { chainId, ledger: consentLedger, custodian: { address: custodian, name }, patient };
    return grants.map((grant) => consentOf(grant, about));
  }
}
