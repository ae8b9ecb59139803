/**
 * A shorter way to frames where the archive is an Orthanc: its own interface gives the same bytes several times as fast as its
 * DICOMweb plug-in, which parses the whole instance for each of them. It is found below the DICOMweb root's parent, as
 * Orthanc has it; whatever does not go this way goes by DICOMweb.
 *
 * An instance is named there by the hash of its patient id and its UIDs, so that nothing but what was asked for can come.
 */
import { createHash } from "node:crypto";
import { z } from "zod";
import { Remembered } from "../remembered.ts";
import type { InstanceReference } from "./client.ts";
import {
  ArchiveConnection,
  type ArchiveOptions,
  type Ask,
  type CallOptions,
  statusOf,
} from "./connection.ts";
import type { ContentReceiver } from "./receiver.ts";
import { frameMediaType } from "./transferSyntaxes.ts";

/**
 * Transfer syntaxes of which both ways give the same: native ones, JPEG baseline, extended and lossless, JPEG-LS, JPEG 2000
 * and RLE. Others the plug-in decodes, or gives as little endian.
 */
const ALIKE = /^1\.2\.840\.10008\.1\.2(\.1|\.5|\.4\.(50|51|57|70|80|81|90|91))?$/;

/** Milliseconds that an instance's transfer syntax is taken for what it was. */
const SYNTAX_KEPT = 30_000;
/** Milliseconds that this way is not tried for, where the archive is no Orthanc, or does not let us in or answer. */
const CLOSED = 60_000;
/** Milliseconds that an Orthanc takes at most to say who it is, or in which syntax an instance is. */
const SHORTLY = 2_000;
/** Whoever answers at all is not down. */
const ANY_STATUS = Array.from({ length: 400 }, (_, index) => 200 + index);

/** What Orthanc says of itself, as far as it tells it from others. */
const systemSchema = z.object({ ApiVersion: z.number(), DicomAet: z.string(), Version: z.string() });

/** An instance, with the patient id that its series lists it with: empty where it lists none. */
export type NamedInstance = InstanceReference & { patientId: string };

export class OrthancFrames {
  readonly #connection: ArchiveConnection;
  readonly #syntaxes = new Remembered<string>(SYNTAX_KEPT);
  #isOrthanc: Promise<boolean> | null = null;
  #closedUntil = 0;

  /** @param options of the archive: its DICOMweb root's parent is where Orthanc itself answers */
  constructor(options: ArchiveOptions) {
    const { url } = options;
    const parent = new URL("..", url.endsWith("/") ? url : `${url}/`).href;
    this.#connection = new ArchiveConnection({ ...options, url: parent });
  }

  /** A frame as it is stored, counted from 1; null where it does not go this way. @throws the signal's reason */
  async frame(instance: NamedInstance, frame: number, options: CallOptions): Promise<ContentReceiver | null> {
    const id = orthancId(instance);
    if (id === null || performance.now() < this.#closedUntil) return null;
    try {
      this.#isOrthanc ??= this.#look();
      if (!(await this.#isOrthanc)) return this.#close();
      const transferSyntaxUid = await this.#syntaxes.get(id, () => this.#transferSyntax(id));
      if (!ALIKE.test(transferSyntaxUid)) return null;
      const kind = { mediaType: frameMediaType(transferSyntaxUid), transferSyntaxUid };
      const ask = { headers: { accept: "*/*" }, expected: [200], options };
      return await this.#connection.receive(`instances/${id}/frames/${frame - 1}/raw`, ask, kind);
    } catch (error) {
      options.signal?.throwIfAborted();
      return statusOf(error) === 404 ? null : this.#close();
    }
  }

  /** Ask anew in which syntax instances are: something was stored. */
  forget(): void {
    this.#syntaxes.clear();
  }

  /** Close all connections at once. */
  async close(): Promise<void> {
    await this.#connection.close();
  }

  #close(): null {
    this.#isOrthanc = null;
    this.#closedUntil = performance.now() + CLOSED;
    return null;
  }

  async #look(): Promise<boolean> {
    const { json } = await this.#connection.json("system", shortly(ANY_STATUS));
    return systemSchema.safeParse(json).success;
  }

  async #transferSyntax(id: string): Promise<string> {
    const answer = await this.#connection.whole(`instances/${id}/metadata/TransferSyntax`, shortly([200]));
    return answer.body.toString("latin1").trim();
  }
}

/** Asked for all who wait for the answer, so that no caller's signal ends it. */
function shortly(expected: readonly number[]): Ask {
  return { headers: { accept: "*/*" }, expected, options: { signal: AbortSignal.timeout(SHORTLY) } };
}

/** Orthanc's name of an instance: SHA-1 over its identifiers. Null where the patient id may be hashed in other bytes than ours. */
function orthancId(instance: NamedInstance): string | null {
  const { patientId, studyInstanceUid, seriesInstanceUid, sopInstanceUid } = instance;
  if (!/^[\x20-\x7e]*$/.test(patientId)) return null;
  const identifiers = [patientId, studyInstanceUid, seriesInstanceUid, sopInstanceUid].join("|");
  const digest = createHash("sha1").update(identifiers, "latin1").digest("hex");
  return digest.replace(/(.{8})(?!$)/g, "$1-");
}
