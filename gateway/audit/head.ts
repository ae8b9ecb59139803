/**
 * The last receipt that this gateway has seen, kept outside the database: one that was set back to a backup knows an earlier
 * one, and would give the numbers since a second time. What was anchored, the chain says (anchoring.ts); this is for those
 * that were not.
 */
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { eq } from "drizzle-orm";
import { z } from "zod";
import type { Hex } from "../../protocol/hash.ts";
import type { Database } from "../database/database.ts";
import { receipts } from "../database/schema.ts";
import { faultOf } from "../operations/log.ts";
import { Rounds } from "../operations/rounds.ts";
import { lastSequence, skipTo } from "./log.ts";

/** Whose log it is: with another, what was kept says nothing. */
type Log = { chainId: number; consentLedger: Hex; custodian: Hex };

export type AuditHeadContext = {
  database: Database;
  dataDir: string;
  about: Log;
  log: Record<"error" | "warn", (about: object, line: string) => void>;
};

/** Milliseconds between two looks: receipts of a last moment, before a killed gateway's next look, are not known. */
const PACE = 1_000;

const keptSchema = z.object({
  chainId: z.number(),
  consentLedger: z.string(),
  custodian: z.string(),
  last: z.int().nonnegative(),
  digest: z.string().nullable(),
});
type Head = Pick<z.infer<typeof keptSchema>, "last" | "digest">;

export class AuditHead {
  readonly #context: AuditHeadContext;
  readonly #file: string;
  #head: Head = { last: 0, digest: null };
  // A database that does not answer is said elsewhere.
  readonly #rounds = new Rounds(() =>
    this.#look().then(
      () => PACE,
      () => PACE,
    ),
  );

  constructor(context: AuditHeadContext) {
    this.#context = context;
    this.#file = join(context.dataDir, "audit-head.json");
  }

  /** Compare the database with what was kept, before a number is given; and from then on at a steady pace. */
  async start(): Promise<void> {
    this.#head = (await this.#read()) ?? this.#head;
    await this.#look();
    this.#rounds.startIn(PACE);
  }

  /** Keep the last number that was given. */
  async close(): Promise<void> {
    await this.#rounds.close();
    await this.#look().catch(() => undefined);
  }

  async #look(): Promise<void> {
    const { database, log } = this.#context;
    const known = this.#head;
    if (await skipTo(database, known.last)) {
      log.error(
        { last: known.last },
        "The database is older than receipts that were given: numbers go on after them",
      );
    } else if (known.digest !== null && (await this.#digestOf(known.last)) !== known.digest) {
      // Once for each: what is there now is what is compared from here on.
      log.error({ last: known.last }, "The database has another receipt than was given, or has lost it");
    }
    const last = await lastSequence(database);
    const digest = await this.#digestOf(last);
    if (last === known.last && digest === known.digest) return;
    this.#head = { last, digest };
    await this.#write();
  }

  async #digestOf(sequence: number): Promise<string | null> {
    const [row] = await this.#context.database
      .select({ digest: receipts.digest })
      .from(receipts)
      .where(eq(receipts.seq, sequence));
    return row?.digest ?? null;
  }

  async #read(): Promise<Head | null> {
    const text = await readFile(this.#file, "utf8").catch(() => null);
    if (text === null) return null;
    const { success, data } = keptSchema.safeParse(parsed(text));
    const { chainId, consentLedger, custodian } = this.#context.about;
    const isOwn =
      data?.chainId === chainId && data.consentLedger === consentLedger && data.custodian === custodian;
    return success && isOwn ? { last: data.last, digest: data.digest } : null;
  }

  /** Replaced as a whole, so that a killed gateway leaves the old one or the new one. */
  async #write(): Promise<void> {
    const { dataDir, about, log } = this.#context;
    try {
      await mkdir(dataDir, { recursive: true, mode: 0o700 });
      await writeFile(`${this.#file}.new`, JSON.stringify({ ...about, ...this.#head }), { mode: 0o600 });
      await rename(`${this.#file}.new`, this.#file);
    } catch (error) {
      log.warn({ fault: faultOf(error) }, "The last receipt's number cannot be kept in DATA_DIR");
    }
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
