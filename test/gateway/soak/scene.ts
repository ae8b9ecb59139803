/** A gateway as a hospital runs it, a process of its own over PostgreSQL and before Orthanc, with one exam as big as asked for. */
import { existsSync } from "node:fs";
import { openHandles } from "../../../scripts/bench/gateway/memory.ts";
import { MADE_PATIENT_ID, madePicture } from "../../madeSample.ts";
import { findOrthanc, startOrthanc } from "../../orthanc.ts";
import { findPostgres, startPostgres } from "../../postgres.ts";
import { until, World } from "../../world.ts";
import { startProcess } from "../process.ts";
import { connectionsOf } from "./connections.ts";

/** Whether there is time for all of it: `npm run test:soak`. */
export const SOAK = process.env.EXAMKEY_SOAK === "1";

/** Names, for titles, what is not here; empty where nothing is missing. */
export const missing =
  findOrthanc() && findPostgres() && existsSync("/proc/self/fd")
    ? ""
    : " (needs Linux, and Debian's orthanc, postgresql)";

/** So many instances of one frame each; a frame has `side` × `side` bytes. */
export type Size = { instances: number; side: number };

export type Scene = {
  world: World;
  url: string;
  /** The gateway's process. */
  pid: number;
  examId: string;
  /** The study below the gateway's URL. */
  study: string;
  /** Paths of its instances below the gateway's URL, in the order of their pixels. */
  instances: string[];
  /** Handles that the gateway has open once it has nothing to do any more for a caller. */
  handlesAtRest(): Promise<number>;
  close(): Promise<void>;
};

/** What ends with the scene, in opposite order. */
type Closers = (() => Promise<unknown>)[];

/** The patient's exam is enrolled, and granted to nobody. @param environment over that of the gateway */
export async function openScene(size: Size, environment: Record<string, string> = {}): Promise<Scene> {
  const closers: Closers = [];
  const close = async () => {
    for (const closer of closers.splice(0).reverse()) await closer();
  };
  try {
    return { ...(await assemble(size, environment, closers)), close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function assemble({ instances, side }: Size, environment: Record<string, string>, closers: Closers) {
  const postgres = await startPostgres();
  closers.push(() => postgres.close());
  const archive = await startOrthanc();
  closers.push(() => archive.close());
  for (let instance = 0; instance < instances; instance += 1)
    await archive.take(await madePicture(instance, side));
  const world = await World.open({
    environment: {
      DATABASE_URL: postgres.url,
      DICOMWEB_URL: archive.url,
      DICOMWEB_USERNAME: archive.username,
      DICOMWEB_PASSWORD: archive.password,
      HEAD_POLL_MS: "250",
      ...environment,
    },
  });
  closers.push(() => world.close());
  await world.enrol(MADE_PATIENT_ID, "patient");
  const [exam] = await world.examsOf("patient");
  if (!exam) throw new Error("The exam was not enrolled.");
  await world.stopGateway();
  const gateway = await startProcess(world.environment);
  closers.push(() => gateway.kill());
  if (!gateway.ready) throw new Error(gateway.stderr());
  const { url } = gateway.ready;
  world.useGateway(url);
  const pid = gateway.child.pid ?? 0;
  const study = `/dicomweb/studies/${exam.studyInstanceUid}`;
  const [database, ...served] = [postgres.url, archive.url, url].map(portOf);
  return {
    ...{ world, url, pid, study, examId: exam.examId },
    instances: await instancesOf(world, study),
    /** The database's are not counted: its pool opens and ends them by its own clock. */
    handlesAtRest: () =>
      until("the gateway is at rest", async () => {
        const connections = connectionsOf(pid);
        const isBusy = connections.some(
          ({ local, remote }) => served.includes(local) || served.includes(remote),
        );
        const own = connections.filter(({ remote }) => remote === database);
        return !isBusy && openHandles(pid) - own.length;
      }),
  };
}

function portOf(url: string): number {
  return Number(new URL(url).port);
}

/** In the order of their UIDs, which is that of their pixels. */
async function instancesOf(world: World, study: string): Promise<string[]> {
  const answer = await world.get(`${study}/instances`, "patient");
  const listed = (await answer.json()) as Record<string, { Value: string[] }>[];
  const of = (dataset: (typeof listed)[number], tag: string) => dataset[tag]?.Value[0];
  return listed
    .map((dataset) => `${study}/series/${of(dataset, "0020000E")}/instances/${of(dataset, "00080018")}`)
    .sort();
}
