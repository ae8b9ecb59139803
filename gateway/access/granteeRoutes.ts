/** `POST /grantees`: a patient, or the reader, tells whose a blinded grantee is. */
import { and, eq } from "drizzle-orm";
import type { FastifyInstance } from "fastify";
import { granteeRequestSchema } from "../../protocol/api.ts";
import type { Hex } from "../../protocol/hash.ts";
import { blindedGrantee } from "../../protocol/ids.ts";
import type { Database } from "../database/database.ts";
import { ledgerEvents } from "../database/schema.ts";
import { isEnrolled } from "../exams/people.ts";
import { Problem } from "../problem.ts";
import type { Gate } from "./gate.ts";
import type { Blinded, Grantees } from "./grantees.ts";

export type GranteeRoutesContext = { gate: Gate; grantees: Grantees; database: Database };

export function registerGranteeRoutes(app: FastifyInstance, context: GranteeRoutesContext): void {
  const { gate, grantees, database } = context;

  app.post("/grantees", async (request, reply) => {
    const { address } = await gate.signedIn(request);
    const { grantee, ...blinded } = readRequest(request.body);
    if (!(await mayTell(database, address, { ...blinded, grantee }))) throw new Problem("not-granted");
    await grantees.keep(blinded);
    return reply.code(201).send({ grantee });
  });
}

/** The patient may, before or after they grant; the reader may once the patient has. */
async function mayTell(
  database: Database,
  caller: Hex,
  { patient, reader, grantee }: Blinded & { grantee: Hex },
): Promise<boolean> {
  if (caller === patient) return isEnrolled(database, patient);
  if (caller !== reader) return false;
  const written = and(eq(ledgerEvents.patient, patient), eq(ledgerEvents.grantee, grantee));
  return (await database.$count(ledgerEvents, written)) > 0;
}

/** @throws {Problem} `malformed-request`, which says nothing of what was sent: a salt was */
function readRequest(body: unknown): Blinded & { grantee: Hex } {
  const parsed = granteeRequestSchema.safeParse(body);
  if (!parsed.success)
    throw new Problem(
      "malformed-request",
      "Send patient, reader, salt and grantee: two addresses, two words.",
    );
  const patient = parsed.data.patient.toLowerCase() as Hex;
  const reader = parsed.data.reader.toLowerCase() as Hex;
  const salt = parsed.data.salt as Hex;
  const grantee = blindedGrantee(reader, salt);
  if (parsed.data.grantee !== grantee)
    throw new Problem("malformed-request", "The grantee is not made of this reader and this salt.");
  return { patient, reader, salt, grantee };
}
