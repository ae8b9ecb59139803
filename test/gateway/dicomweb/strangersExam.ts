/** A gateway over an archive in which a reader was granted one exam, or one series, and something else lies beside it. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startOrthanc } from "../../orthanc.ts";
import { dicomFiles, SAMPLE_FOLDERS } from "../../samples.ts";
import { type PersonName, SAMPLE_PATIENTS, World } from "../../world.ts";
import { restamped } from "./house.ts";

/** One instance and what it is in. */
export type Names = { study: string; series: string; instance: string };

/** What a token may read, and what its bearer goes for. */
export type Target = {
  token: string;
  own: Names;
  other: Names;
  /** The exam's that the other instance is in. */
  examId: string;
  /** What must not be in any answer to the token: of the other's UIDs, texts, pixels and pictures. */
  sentinels: Buffer[];
};

export type Scene = {
  world: World;
  /** The reader was granted an exam; the other is another patient's. */
  exam: Target;
  /** The reader was granted a series; the other is in the same study. */
  series: Target;
  /** The token of the patient whose the other exam is, and of the one whose the other series is. */
  owners: { exam: string; series: string };
  close(): Promise<void>;
};

const BRAIN: Names = {
  study: "0.0.0.0.2.8811.20010413115754.12432",
  series: "0.0.0.0.3.8811.2.20010413115754.12432",
  instance: "0.0.0.0.1.8811.2.1.20010413115754.12432",
};
const SIBLING: Names = {
  study: BRAIN.study,
  series: "0.0.0.0.3.8811.9.20010413115754.12432",
  instance: "0.0.0.0.1.8811.9.2.20010413115754.12432",
};
const ANGIOGRAM: Names = {
  study: "1.3.12.2.1107.5.4.3.123456789012345.19950922.121803.6",
  series: "1.3.12.2.1107.5.4.3.123456789012345.19950922.121803.8",
  instance: "1.3.12.2.1107.5.4.3.321890.19960124.162922.29",
};
const ANGIOGRAM_TEXTS = ["Rubo DEMO", SAMPLE_PATIENTS.angiogram];

export type Archive = "embedded" | "orthanc";

/** Two slices of the brain, each made a series of its own, and an angiogram; a world over them. */
export async function openScene(archive: Archive, environment: Record<string, string> = {}): Promise<Scene> {
  const folder = await mkdtemp(join(tmpdir(), "examkey-scene-"));
  const files = await writeFiles(folder);
  const orthanc = archive === "orthanc" ? await startOrthanc() : null;
  await orthanc?.add(files);
  const world = await World.open({
    environment: {
      ...(orthanc
        ? {
            DICOMWEB_URL: orthanc.url,
            DICOMWEB_USERNAME: orthanc.username,
            DICOMWEB_PASSWORD: orthanc.password,
          }
        : { DICOM_DIRS: folder }),
      RATE_LIMIT_REFUSALS: "1000000",
      ...environment,
    },
  });
  return {
    ...(await grantParts(world)),
    world,
    async close() {
      await world.close();
      await orthanc?.close();
      await rm(folder, { recursive: true });
    },
  };
}

async function writeFiles(folder: string): Promise<string[]> {
  const [samples = ""] = SAMPLE_FOLDERS;
  const [first = "", second = ""] = dicomFiles(join(samples, "volume"));
  const contents = [
    untilPixelsEnd(await restamped(first, [])),
    untilPixelsEnd(
      await restamped(second, [
        [BRAIN.series, SIBLING.series],
        ["0.0.0.0.1.8811.2.", "0.0.0.0.1.8811.9."],
      ]),
    ),
    await restamped(join(samples, "jpeg_baseline_8bit.dcm"), []),
  ];
  const paths = contents.map((_, index) => join(folder, `${index}.dcm`));
  for (const [index, path] of paths.entries()) await writeFile(path, contents[index] ?? "");
  return paths;
}

/** Without the megabytes of zeros that these samples have behind their pixels, which Orthanc reads as elements. */
function untilPixelsEnd(file: Buffer): Buffer {
  const value = file.indexOf("\xe0\x7f\x10\x00OW", "latin1") + 12;
  return file.subarray(0, value + file.readUInt32LE(value - 4));
}

async function grantParts(world: World): Promise<Pick<Scene, "exam" | "series" | "owners">> {
  await world.enrol(SAMPLE_PATIENTS.brain, "patient");
  await world.enrol(SAMPLE_PATIENTS.angiogram, "otherPatient");
  const [brain] = await world.examsOf("patient");
  const [angiogram] = await world.examsOf("otherPatient");
  const shared = brain?.series.find(({ seriesInstanceUid }) => seriesInstanceUid === BRAIN.series);
  if (!brain || !angiogram || !shared) throw new Error("The sample exams are not there.");
  await world.grant("patient", brain.examId, "reader");
  await world.grant("patient", shared.seriesResource, "otherReader");
  const part = async (reader: PersonName, owner: PersonName, about: Omit<Target, "token" | "sentinels">) => ({
    ...about,
    token: await world.signIn(reader),
    sentinels: await sentinelsOf(world, owner, about),
  });
  return {
    exam: await part("reader", "otherPatient", { own: BRAIN, other: ANGIOGRAM, examId: angiogram.examId }),
    series: await part("otherReader", "patient", { own: BRAIN, other: SIBLING, examId: brain.examId }),
    owners: { exam: await world.signIn("otherPatient"), series: await world.signIn("patient") },
  };
}

/** What tells that something of the other was given away, taken from what its owner is given. */
async function sentinelsOf(world: World, owner: PersonName, { own, other }: Pick<Target, "own" | "other">) {
  const uids = [other.study, other.series, other.instance].filter((uid) => uid !== own.study);
  const texts = other === ANGIOGRAM ? ANGIOGRAM_TEXTS : [];
  const path = `/dicomweb/studies/${other.study}/series/${other.series}/instances/${other.instance}`;
  const pieces: Buffer[] = [];
  for (const what of ["frames/1", "rendered", "thumbnail"]) {
    const answer = await world.get(`${path}/${what}`, owner);
    if (!answer.ok) throw new Error(`${owner} is not given ${what}: ${answer.status}`);
    pieces.push(...distinctivePieces(Buffer.from(await answer.arrayBuffer())));
  }
  return [...[...uids, ...texts].map((text) => Buffer.from(text)), ...pieces];
}

const PIECE = 24;

/** A few pieces of some pixels or of a picture that are like nothing else: no background, no header. */
function distinctivePieces(bytes: Buffer): Buffer[] {
  const pieces: Buffer[] = [];
  for (let at = bytes.length >> 1; at + PIECE < bytes.length && pieces.length < 4; at += PIECE) {
    const piece = bytes.subarray(at, at + PIECE);
    if (new Set(piece).size > PIECE / 2) pieces.push(piece);
  }
  if (pieces.length === 0) throw new Error("There is nothing distinctive in these bytes.");
  return pieces;
}
