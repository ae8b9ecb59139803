/** One archive with one exam, and everything that stands before it: all on this machine, in processes of their own. */
import type { ChildProcess } from "node:child_process";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import type { Exam } from "../../../protocol/api.ts";
import { type GatewayProcess, startProcess } from "../../../test/gateway/process.ts";
import { type Orthanc, startOrthanc } from "../../../test/orthanc.ts";
import { startPostgres } from "../../../test/postgres.ts";
import { World } from "../../../test/world.ts";
import { startNginx } from "./nginx.ts";

/** One way to the archive. */
export type Contender = {
  name: string;
  /** Scheme, host and port, and what paths of DICOMweb come after. */
  origin: string;
  root: string;
  /** The `Authorization` header: asked for before each run, since tokens do not last. */
  authorization(): Promise<string>;
  /** The processes that are this way, without the archive's. */
  pids: readonly number[];
};

/** All that stands, and the exam that is asked for. */
export type Stage = {
  orthanc: Contender;
  nginx: Contender;
  /** Without a cache of frames, and with one. */
  gateway: Contender;
  caching: Contender;
  world: World;
  exam: Exam;
  /** Paths of all instances below a DICOMweb root. */
  instances: readonly string[];
  close(): Promise<void>;
};

/** DICOM JSON, as far as it is read here (PS3.18 annex F). */
type Dataset = Record<string, { Value?: string[] }>;

/** What ends when the stage does, in opposite order. */
type Closers = (() => Promise<unknown>)[];

/**
 * Start everything: Orthanc with the files of a folder, PostgreSQL, a chain, two gateways over both, and nginx. The exam
 * is its patient's, and shared with a reader, who asks.
 * @param environment over that of the gateways
 */
export async function openStage(dicom: string, environment: Record<string, string> = {}): Promise<Stage> {
  const closers: Closers = [];
  const close = async () => {
    for (const closer of closers.splice(0).reverse()) await closer();
  };
  try {
    return { ...(await assemble(dicom, environment, closers)), close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function assemble(dicom: string, environment: Record<string, string>, closers: Closers) {
  const postgres = await startPostgres();
  closers.push(() => postgres.close());
  const archive = await startOrthanc();
  closers.push(() => archive.close());
  await archive.add(readdirSync(dicom).map((file) => join(dicom, file)));
  const world = await World.open({
    environment: {
      DATABASE_URL: postgres.url,
      DICOMWEB_URL: archive.url,
      DICOMWEB_USERNAME: archive.username,
      DICOMWEB_PASSWORD: archive.password,
      HEAD_POLL_MS: "250",
      LOG_LEVEL: "info",
      ...environment,
    },
  });
  closers.push(() => world.close());
  const exam = await shareTheExam(world, archive);
  await world.stopGateway();
  const instances = await instancesOf(archive, exam);
  const nginx = await startNginx(archive);
  closers.push(() => nginx.close());
  const gateway = await startGatewayIn(world, "0", closers);
  const caching = await startGatewayIn(world, "256", closers);
  const { origin, pathname: root } = new URL(archive.url);
  return {
    world,
    exam,
    instances,
    orthanc: {
      ...{ name: "Orthanc", origin, root, pids: [] },
      authorization: async () => archive.authorization,
    },
    nginx: {
      ...{ name: "nginx auth_request", origin: nginx.origin, root, pids: nginx.processes.map(pidOf) },
      authorization: async () => "Bearer a-token",
    },
    gateway: { name: "ExamKey", ...gateway },
    caching: { name: "ExamKey, its cache on", ...caching },
  };
}

/** Enrol the one patient of the archive, and grant all of it to the reader. */
async function shareTheExam(world: World, archive: Orthanc): Promise<Exam> {
  const headers = { authorization: archive.authorization };
  const studies = await fetch(`${archive.url}/studies?includefield=00100020`, { headers });
  const [study] = (await studies.json()) as Dataset[];
  const patientId = study?.["00100020"]?.Value?.[0];
  if (!patientId) throw new Error("The archive has no exam with a patient's id.");
  await world.enrol(patientId, "patient");
  const [exam] = await world.examsOf("patient");
  if (!exam) throw new Error("The exam was not enrolled.");
  await world.grant("patient", exam.examId, "reader");
  return exam;
}

async function instancesOf(archive: Orthanc, { studyInstanceUid }: Exam): Promise<string[]> {
  const { authorization } = archive;
  const path = `studies/${studyInstanceUid}/instances`;
  const answer = await fetch(`${archive.url}/${path}`, { headers: { authorization } });
  const datasets = (await answer.json()) as Dataset[];
  return datasets.map((dataset) => {
    const [series, instance] = ["0020000E", "00080018"].map((tag) => dataset[tag]?.Value?.[0]);
    return `/studies/${studyInstanceUid}/series/${series}/instances/${instance}`;
  });
}

/** A gateway over the world's chain and database. @param cache megabytes for frames */
async function startGatewayIn(world: World, cache: string, closers: Closers) {
  const gateway = await startProcess({ ...world.environment, FRAME_CACHE_MB: cache });
  if (!gateway.ready) throw new Error(gateway.stderr());
  const { url } = gateway.ready;
  closers.push(() => ended(gateway));
  return {
    origin: url,
    root: "/dicomweb",
    pids: [pidOf(gateway.child)],
    async authorization() {
      world.useGateway(url);
      return `Bearer ${await world.signIn("reader")}`;
    },
  };
}

async function ended({ child, ended: end }: GatewayProcess): Promise<void> {
  child.kill("SIGTERM");
  await end;
}

function pidOf({ pid }: ChildProcess): number {
  if (pid === undefined) throw new Error("A process was not started.");
  return pid;
}
