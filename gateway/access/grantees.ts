/**
 * Under which names a reader may have been granted something: their address, and blinded grantees whose salt this gateway
 * was told.
 *
 * A blinded grantee is believed because it recomputes: it is made of the reader's address and the salt, and only a patient's
 * grant to it opens anything. It counts for the patient whom it was told for alone.
 */
import { eq } from "drizzle-orm";
import type { Hex } from "../../protocol/hash.ts";
import type { Database } from "../database/database.ts";
import { blindedGrantees } from "../database/schema.ts";
import type { Seal } from "../database/seal.ts";
import { type ReaderName, readerName } from "../decision/question.ts";
import { Problem } from "../problem.ts";
import { Remembered } from "../remembered.ts";

/** Whose a blinded grantee is. */
export type Blinded = { patient: Hex; reader: Hex; salt: Hex };

/** Milliseconds that a reader's names may be remembered for: another gateway on the same database may be told of one. */
const REMEMBERED = 2_000;

/** Names that one patient may have for one reader: each is a question to the ledger. */
export const MOST_NAMES = 8;

/** Blinded names of a reader, by patient. */
type Names = ReadonlyMap<Hex, readonly ReaderName[]>;

export class Grantees {
  readonly #database: Database;
  readonly #seal: Seal;
  readonly #remembered = new Remembered<Names>(REMEMBERED);

  private constructor(database: Database, seal: Seal) {
    this.#database = database;
    this.#seal = seal;
  }

  /** @throws {ConfigError} where the database holds what another key sealed */
  static async open(database: Database, seal: Seal): Promise<Grantees> {
    await seal.requireOwn(database, blindedGrantees);
    return new Grantees(database, seal);
  }

  /** Every name that a patient may have granted something to a reader under, the address first. */
  async namesOf(reader: Hex, patient: Hex): Promise<ReaderName[]> {
    const blinded = await this.#remembered.get(reader, () => this.#read(reader));
    return [readerName(reader, null), ...(blinded.get(patient) ?? [])];
  }

  /** What finds a reader's blinded grantees in the database. */
  tagOf(reader: Hex): string {
    return this.#seal.tag(reader);
  }

  /** Addresses of a patient's blinded grantees, as far as this gateway was told. */
  async readersOf(patient: Hex): Promise<Map<Hex, Hex>> {
    const rows = await this.#database
      .select()
      .from(blindedGrantees)
      .where(eq(blindedGrantees.patient, patient));
    return new Map(rows.map((row) => [row.grantee, this.#open(row).reader]));
  }

  /** Keep whose a blinded grantee is. @throws {Problem} `malformed-request` for one name too many */
  async keep({ patient, reader, salt }: Blinded): Promise<void> {
    const { grantee } = readerName(reader, salt);
    const names = await this.namesOf(reader, patient);
    if (names.some((name) => name.grantee === grantee)) return;
    if (names.length >= MOST_NAMES)
      throw new Problem("malformed-request", `A patient has at most ${MOST_NAMES} names for one reader.`);
    const sealed = this.#seal.seal(`${reader} ${salt}`, contextOf({ patient, grantee }));
    const row = { patient, grantee, readerTag: this.tagOf(reader), sealed };
    await this.#database.insert(blindedGrantees).values(row).onConflictDoNothing();
    this.#remembered.delete(reader);
  }

  async #read(reader: Hex): Promise<Names> {
    const rows = await this.#database
      .select()
      .from(blindedGrantees)
      .where(eq(blindedGrantees.readerTag, this.tagOf(reader)));
    const names = new Map<Hex, ReaderName[]>();
    for (const row of rows) {
      const { salt } = this.#open(row);
      names.set(row.patient, [...(names.get(row.patient) ?? []), readerName(reader, salt)]);
    }
    return names;
  }

  #open(row: typeof blindedGrantees.$inferSelect): Pick<Blinded, "reader" | "salt"> {
    const [reader, salt] = this.#seal.open(row.sealed, contextOf(row)).split(" ") as [Hex, Hex];
    return { reader, salt };
  }
}

function contextOf({ patient, grantee }: { patient: Hex; grantee: Hex }): string {
  return `blinded grantee ${patient} ${grantee}`;
}
