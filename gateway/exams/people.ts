/** Practitioners whom the custodian enrolled. */
import { and, eq, isNull } from "drizzle-orm";
import { getAddress } from "ethers";
import type { Person } from "../../protocol/api.ts";
import type { Hex } from "../../protocol/hash.ts";
import type { Database } from "../database/database.ts";
import { enrolments, practitioners } from "../database/schema.ts";

/** Everybody enrolled, by name. */
export async function listPeople(database: Database): Promise<Person[]> {
  const people = await database.select().from(practitioners).orderBy(practitioners.name);
  return people.map((person) => ({ ...person, address: getAddress(person.address) }));
}

/** The practitioner with that address; null where none is enrolled. */
export async function findPerson(
  database: Database,
  address: Hex,
): Promise<{ name: string; role: string } | null> {
  const [person] = await database.select().from(practitioners).where(eq(practitioners.address, address));
  return person ?? null;
}

/** Enrol a practitioner, or change their name and role. */
export async function enrolPractitioner(
  database: Database,
  person: { address: Hex; name: string; role: string },
): Promise<void> {
  const { name, role } = person;
  await database
    .insert(practitioners)
    .values(person)
    .onConflictDoUpdate({ target: practitioners.address, set: { name, role } });
}

/** Whether an address belongs to a patient here. */
export async function isEnrolled(database: Database, address: Hex): Promise<boolean> {
  const live = and(eq(enrolments.patient, address), isNull(enrolments.endedAt));
  return (await database.$count(enrolments, live)) > 0;
}
