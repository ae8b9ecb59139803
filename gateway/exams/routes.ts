/** `/me`, `/exams`, `/grants` and `/people`. */
import { getAddress } from "ethers";
import type { FastifyInstance } from "fastify";
import type { Hex } from "../../protocol/hash.ts";
import type { Gate } from "../access/gate.ts";
import type { Decider } from "../decision/decider.ts";
import { Problem } from "../problem.ts";
import { describeExams, type ExamsContext } from "./exams.ts";
import { type GrantsContext, listGrants } from "./grants.ts";
import { findPerson, isEnrolled, listPeople } from "./people.ts";

export function registerExamRoutes(
  app: FastifyInstance,
  context: ExamsContext & GrantsContext & { gate: Gate; decider: Decider },
): void {
  const { gate, database, facts, directory, decider } = context;

  app.get("/exams", async (request) => {
    const caller = await gate.signedIn(request);
    const visible = await gate.visibleExams(caller, { action: "VIEW", route: "list exams" });
    return describeExams(context, caller, visible);
  });

  app.get("/grants", async (request) => {
    const { address } = await gate.signedIn(request);
    const { clocks } = await decider.now();
    return { grants: await listGrants(context, address, clocks) };
  });

  app.get("/me", async (request) => {
    const { address } = await gate.signedIn(request);
    const isPatient = await isEnrolled(database, address);
    const person = await findPerson(database, address);
    return {
      address: getAddress(address),
      name: person?.name ?? (isPatient ? await nameOfPatient(address) : null),
      role: person?.role ?? null,
      isPatient,
      isPractitioner: person !== null,
    };
  });

  /** Whom patients may pick from is shown to people the custodian knows, not to every wallet. */
  app.get("/people", async (request) => {
    const { address } = await gate.signedIn(request);
    const isKnown = (await isEnrolled(database, address)) || (await findPerson(database, address)) !== null;
    if (!isKnown) throw new Problem("not-granted", "Only people enrolled here see who else is.");
    return { people: await listPeople(database) };
  });

  /** Names stay in the archive: the gateway keeps none of its own. */
  async function nameOfPatient(address: Hex): Promise<string | null> {
    for (const exam of await directory.ofPatient(address)) {
      const study = await facts.study(exam.studyInstanceUid);
      if (study?.patientName && study.patientId === exam.patientId) return study.patientName;
    }
    return null;
  }
}
