/** `/me`, `/exams`, `/grants` and `/people`. */
import { getAddress } from "ethers";
import type { FastifyInstance, FastifyRequest } from "fastify";
import type { Hex } from "../../protocol/hash.ts";
import type { Gate, SignedIn, VisibleExam } from "../access/gate.ts";
import type { Decider } from "../decision/decider.ts";
import { Problem } from "../problem.ts";
import { describeExams, type ExamsContext } from "./exams.ts";
import { isSamePatient } from "./facts.ts";
import { type GrantsContext, listGrants } from "./grants.ts";
import { findPerson, isEnrolled, listPeople } from "./people.ts";

export function registerExamRoutes(
  app: FastifyInstance,
  context: ExamsContext & GrantsContext & { gate: Gate; decider: Decider },
): void {
  const { gate, database, facts, directory, decider } = context;

  app.get("/exams", async (request) => {
    const caller = await gate.signedIn(request);
    const patient = patientNamed(request, caller);
    const asWhom = { ...caller, isGuardian: patient !== null };
    const describe = (found: VisibleExam[]) => describeExams(context, asWhom, found);
    return patient === null
      ? gate.visibleExams(caller, { action: "VIEW", route: "list exams" }, describe)
      : gate.examsInCare(caller, patient, "list exams for a patient", describe);
  });

  app.get("/grants", async (request) => {
    const caller = await gate.signedIn(request);
    const patient = patientNamed(request, caller);
    const list = async () => {
      const { clocks } = await decider.now();
      return { grants: await listGrants(context, patient ?? caller.address, clocks) };
    };
    return patient === null ? list() : gate.examsInCare(caller, patient, "list grants for a patient", list);
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
      badge: person?.badge ? getAddress(person.badge) : null,
    };
  });

  /** Whom patients may pick from is shown to people the custodian knows, not to every wallet. */
  app.get("/people", async (request) => {
    const caller = await gate.signedIn(request);
    const { address } = caller;
    const patient = patientNamed(request, caller);
    const list = async () => ({ people: await listPeople(database) });
    if (patient !== null) return gate.examsInCare(caller, patient, "list people for a patient", list);
    const isKnown = (await isEnrolled(database, address)) || (await findPerson(database, address)) !== null;
    if (!isKnown) throw new Problem("not-granted", "Only people enrolled here see who else is.");
    return list();
  });

  /** Names stay in the archive: the gateway keeps none of its own. */
  async function nameOfPatient(address: Hex): Promise<string | null> {
    for (const exam of await directory.ofPatient(address)) {
      const study = await facts.study(exam.studyInstanceUid);
      if (study?.patientName && isSamePatient(exam, study)) return study.patientName;
    }
    return null;
  }
}

/**
 * Whom a guardian says that they act for (`?for=0x…`); null for the caller themselves.
 * @throws {Problem} `malformed-request`
 */
export function patientNamed({ query }: FastifyRequest, { address }: SignedIn): Hex | null {
  const { for: named } = query as { for?: unknown };
  if (named === undefined) return null;
  if (typeof named !== "string" || !/^0x[0-9a-fA-F]{40}$/.test(named))
    throw new Problem("malformed-request", "`for` names a patient by their address.");
  const patient = named.toLowerCase() as Hex;
  return patient === address ? null : patient;
}
