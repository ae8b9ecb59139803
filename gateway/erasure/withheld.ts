/**
 * Studies that were erased while the archive keeps them: they are not registered again.
 *
 * What is kept of each is one keyed hash of its UID, tied to nothing. It tells who has the UID and the key that this study
 * was erased here, and nothing else: so the key must not be in the database, and there is none where it is.
 */
import { eq, notLike } from "drizzle-orm";
import { ConfigError } from "../config.ts";
import type { Database } from "../database/database.ts";
import { withheldStudies } from "../database/schema.ts";
import type { Seal } from "../database/seal.ts";
import { Problem } from "../problem.ts";

export class WithheldStudies {
  readonly #database: Database;
  readonly #seal: Seal;
  readonly #isKeyApart: boolean;

  private constructor(database: Database, seal: Seal, isKeyApart: boolean) {
    this.#database = database;
    this.#seal = seal;
    this.#isKeyApart = isKeyApart;
  }

  /**
   * @param isKeyApart whether the seal's key is kept apart from the database
   * @throws {ConfigError} where the database holds what another key has marked
   */
  static async open(database: Database, seal: Seal, isKeyApart: boolean): Promise<WithheldStudies> {
    const foreign = notLike(withheldStudies.tag, `${seal.keyId}.%`);
    if ((await database.$count(withheldStudies, foreign)) > 0)
      throw new ConfigError("DATA_KEY: the database holds what another key has sealed. Give that key.");
    return new WithheldStudies(database, seal, isKeyApart);
  }

  /** @param database a transaction, where what is decided by it has to hold in there */
  async has(studyInstanceUid: string, database = this.#database): Promise<boolean> {
    return (await database.$count(withheldStudies, this.#is(studyInstanceUid))) > 0;
  }

  /** Withhold a study from now on, within a transaction. @throws {Problem} `malformed-request` without a key to do it with */
  async add(tx: Database, studyInstanceUid: string): Promise<void> {
    this.requireKey();
    await tx
      .insert(withheldStudies)
      .values({ tag: this.#tagOf(studyInstanceUid) })
      .onConflictDoNothing();
  }

  /** Let a study be registered again. False where it was not withheld. */
  async release(studyInstanceUid: string): Promise<boolean> {
    const released = await this.#database
      .delete(withheldStudies)
      .where(this.#is(studyInstanceUid))
      .returning();
    return released.length > 0;
  }

  /** @throws {Problem} `malformed-request` where nothing can be withheld */
  requireKey(): void {
    if (!this.#isKeyApart)
      throw new Problem(
        "malformed-request",
        "To withhold a study, set DATA_KEY: with its key in the database, the mark would lead back to the study.",
      );
  }

  #is(studyInstanceUid: string) {
    return eq(withheldStudies.tag, this.#tagOf(studyInstanceUid));
  }

  #tagOf(studyInstanceUid: string): string {
    return `${this.#seal.keyId}.${this.#seal.tag(`withheld study ${studyInstanceUid}`)}`;
  }
}
