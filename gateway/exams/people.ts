/** Practitioners whom the custodian enrolled. */
import { and, eq, isNull } from "drizzle-orm";
import { getAddress } from "ethers";
import type { Person } from "../../protocol/api.ts";
import type { Hex } from "../../protocol/hash.ts";
import type { Database } from "../database/database.ts";
import { enrolments, practitioners } from "../database/schema.ts";
import { Problem } from "../problem.ts";

/** A practitioner as the custodian enrolled them, by the address that they sign in with. */
export type Practitioner = typeof practitioners.$inferSelect;

/** Everybody enrolled, by name. Their badges are nobody's business. */
export async function listPeople(database: Database): Promise<Person[]> {
  const people = await database.select().from(practitioners).orderBy(practitioners.name);
  return people.map(({ address, name, role }) => ({ address: getAddress(address), name, role }));
}

/** The practitioner with that address; null where none is enrolled. */
export async function findPerson(database: Database, address: Hex): Promise<Practitioner | null> {
  const [person] = await database.select().from(practitioners).where(eq(practitioners.address, address));
  return person ?? null;
}

/** The practitioner who signs emergencies with that badge; null where it is nobody's here. */
export async function findByBadge(database: Database, badge: Hex): Promise<Practitioner | null> {
  const [person] = await database.select().from(practitioners).where(eq(practitioners.badge, badge));
  return person ?? null;
}

/**
 * Enrol a practitioner, or change their name and role, and their badge where one is given.
 * @throws {Problem} `malformed-request` where the badge is somebody else's, or no key of its own
 */
export async function enrolPractitioner(
  database: Database,
  person: Omit<Practitioner, "badge"> & { badge?: Hex | undefined },
): Promise<void> {
  const { address, name, role, badge } = person;
  if (badge !== undefined) await requireOwnBadge(database, address, badge);
  const values = { name, role, ...(badge !== undefined && { badge }) };
  await database
    .insert(practitioners)
    .values({ address, ...values })
    .onConflictDoUpdate({ target: practitioners.address, set: values });
}

/** No person has two badges, no badge is two people's, and none is a wallet that somebody signs in with. */
async function requireOwnBadge(database: Database, address: Hex, badge: Hex): Promise<void> {
  const other = await findByBadge(database, badge);
  if (other && other.address !== address)
    throw new Problem("malformed-request", "The badge is another practitioner's.");
  if (badge === address || (await findPerson(database, badge)) !== null)
    throw new Problem("malformed-request", "A badge is a key of its own, not one to sign in with.");
}

/** Whether an address belongs to a patient here. */
export async function isEnrolled(database: Database, address: Hex): Promise<boolean> {
  const live = and(eq(enrolments.patient, address), isNull(enrolments.endedAt));
  return (await database.$count(enrolments, live)) > 0;
}
