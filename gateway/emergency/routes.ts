/** `/emergencies`: a practitioner breaks the glass, and a patient sees who did. */
import { getAddress } from "ethers";
import type { FastifyInstance } from "fastify";
import { type Emergency, type EmergencyRequest, emergencyRequestSchema } from "../../protocol/api.ts";
import type { Hex } from "../../protocol/hash.ts";
import type { Gate } from "../access/gate.ts";
import type { Decider } from "../decision/decider.ts";
import type { ExamDirectory } from "../exams/directory.ts";
import { stillOwned } from "../exams/ownership.ts";
import { findByBadge, findPerson } from "../exams/people.ts";
import { patientNamed } from "../exams/routes.ts";
import { Problem } from "../problem.ts";
import type { Opening } from "./emergencies.ts";
import { breakGlass, type OpeningContext } from "./opening.ts";

export type EmergencyRoutesContext = Omit<OpeningContext, "emergencyAccess"> & {
  gate: Gate;
  decider: Decider;
  directory: ExamDirectory;
  /** Null where no emergencies are honoured: those of before are shown all the same. */
  emergencyAccess: Hex | null;
};

export function registerEmergencyRoutes(app: FastifyInstance, context: EmergencyRoutesContext): void {
  const { gate, decider, directory, database, emergencies, emergencyAccess } = context;

  app.post("/emergencies", async (request, reply) => {
    const caller = await gate.signedIn(request);
    if (emergencyAccess === null)
      throw new Problem("not-found", "This gateway opens no exam in an emergency.");
    const asked = readRequest(request.body);
    const known = await directory.byId(asked.examId as Hex);
    // One that was handed over would stay closed here: nothing is sent for it.
    const [exam = null] = known ? await stillOwned(decider, [known]) : [];
    const opening = await gate.breaking(caller, exam, () =>
      breakGlass({ ...context, emergencyAccess }, caller, exam, asked),
    );
    return reply.code(201).send(await describe(opening));
  });

  app.get("/emergencies", async (request) => {
    const caller = await gate.signedIn(request);
    const patient = patientNamed(request, caller);
    const list = async () => {
      const owned = await stillOwned(decider, await directory.ofPatient(patient ?? caller.address));
      const onOwn = await emergencies.onExams(owned.map(({ examId }) => examId));
      const read = patient === null ? await emergencies.ofReader(caller.address) : [];
      const all = [...onOwn, ...read].toSorted((a, b) => b.openedAt - a.openedAt);
      return { emergencies: await Promise.all(all.map(describe)) };
    };
    return patient === null
      ? list()
      : gate.examsInCare(caller, patient, "list emergencies for a patient", list);
  });

  /** In words, for the patient or for who reads. By this machine's clock: told, not decided. */
  async function describe(opening: Opening): Promise<Emergency> {
    const { examId, address, badge, second, reason, openedAt, until } = opening;
    const reader = address
      ? await findPerson(database, address)
      : badge && (await findByBadge(database, badge));
    const other = second && (await findByBadge(database, second));
    return {
      examId,
      reader: { address: address && getAddress(address), ...nameOf(reader) },
      second: second && nameOf(other),
      reason,
      openedAt,
      until,
      state: Date.now() / 1000 < until ? "open" : "over",
    };
  }
}

function nameOf(person: { name: string; role: string } | null): { name: string | null; role: string | null } {
  return { name: person?.name ?? null, role: person?.role ?? null };
}

/** @throws {Problem} `malformed-request`, which says nothing of what was sent: a salt was */
function readRequest(body: unknown): EmergencyRequest {
  const parsed = emergencyRequestSchema.safeParse(body);
  if (parsed.success) return parsed.data;
  const wrong = parsed.error.issues.map(({ path }) => path.join(".") || "body");
  throw new Problem("malformed-request", `Not as it should be: ${wrong.join(", ")}.`);
}
