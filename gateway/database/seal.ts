/**
 * Encryption of what the database keeps but should not show. It protects from whoever reads the database, or a backup of
 * it, without the key: so from nobody where the key is the one that the database keeps itself.
 */
import { createCipheriv, createDecipheriv, createHmac, hkdfSync, randomBytes } from "node:crypto";

import { notLike } from "drizzle-orm";
import { ConfigError } from "../config.ts";
import type { Database } from "./database.ts";
import type { blindedGrantees, emergencyReaders } from "./schema.ts";

/** Bytes of a nonce of AES-GCM, and of its tag (NIST SP 800-38D). */
const NONCE = 12;
const TAG = 16;

export class Seal {
  readonly #key: Buffer;
  readonly #tagKey: Buffer;
  /** Names the key in front of whatever it has sealed; says nothing of it. */
  readonly keyId: string;

  /** @param secret 32 bytes in hexadecimal */
  constructor(secret: string) {
    const derived = (purpose: string) =>
      Buffer.from(hkdfSync("sha256", Buffer.from(secret, "hex"), "", `examkey ${purpose}`, 32));
    this.#key = derived("seal");
    this.#tagKey = derived("tag");
    this.keyId = derived("key id").toString("hex", 0, 8);
  }

  /**
   * A text, encrypted with AES-256-GCM under a random nonce.
   * @param context what it belongs to: it opens with the same alone, so that no row can pass for another
   */
  seal(text: string, context: string): string {
    const nonce = randomBytes(NONCE);
    const cipher = createCipheriv("aes-256-gcm", this.#key, nonce).setAAD(Buffer.from(context));
    const sealed = [nonce, cipher.update(text, "utf8"), cipher.final(), cipher.getAuthTag()];
    return `${this.keyId}.${Buffer.concat(sealed).toString("base64url")}`;
  }

  /** What was sealed. @throws Error where key or context are others, or a bit has changed */
  open(sealed: string, context: string): string {
    const bytes = Buffer.from(sealed.slice(sealed.indexOf(".") + 1), "base64url");
    const decipher = createDecipheriv("aes-256-gcm", this.#key, bytes.subarray(0, NONCE))
      .setAAD(Buffer.from(context))
      .setAuthTag(bytes.subarray(-TAG));
    return decipher.update(bytes.subarray(NONCE, -TAG), undefined, "utf8") + decipher.final("utf8");
  }

  /** @throws {ConfigError} where a table holds what another key sealed */
  async requireOwn(
    database: Database,
    table: typeof blindedGrantees | typeof emergencyReaders,
  ): Promise<void> {
    const foreign = notLike(table.sealed, `${this.keyId}.%`);
    if ((await database.$count(table, foreign)) > 0)
      throw new ConfigError("DATA_KEY: the database holds what another key has sealed. Give that key.");
  }

  /** What finds a text again without showing it: equal for equal texts, under this key alone. */
  tag(text: string): string {
    return createHmac("sha256", this.#tagKey).update(text).digest("base64url");
  }
}
