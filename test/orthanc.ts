/** A real Orthanc for tests: Debian's packages, on a free loopback port, with storage that goes when it stops. */
import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { basicAuthorization } from "../gateway/archive/client.ts";
import { freePort } from "./freePort.ts";

const EXECUTABLES = [process.env.ORTHANC, "/usr/sbin/Orthanc", "/usr/local/bin/Orthanc"];
const PLUGINS = [
  process.env.ORTHANC_DICOMWEB,
  "/usr/share/orthanc/plugins/libOrthancDicomWeb.so",
  "/usr/local/share/orthanc/plugins/libOrthancDicomWeb.so",
];

/** A running Orthanc. */
export interface Orthanc {
  /** Its DICOMweb root. */
  url: string;
  username: string;
  password: string;
  /** The `Authorization` header made of them. */
  authorization: string;
  /** Take DICOM files in through its own REST interface. @throws when it refuses one. */
  add(paths: Iterable<string>): Promise<void>;
  /** Take one DICOM file in, as `add` does. @throws when it refuses it */
  take(file: Uint8Array<ArrayBuffer>): Promise<void>;
  /** Remove an instance. @throws when there is none, or more than one */
  remove(sopInstanceUid: string): Promise<void>;
  /** End its process as a crash does. What it holds stays. */
  kill(): Promise<void>;
  /** Start it anew, where it was, once it was killed. */
  restart(): Promise<void>;
  close(): Promise<void>;
}

/** Where Orthanc and its DICOMweb plugin are, or null where one of them is missing. */
export function findOrthanc(): { executable: string; plugin: string } | null {
  const found = (paths: Array<string | undefined>) =>
    paths.find((path): path is string => path !== undefined && existsSync(path));
  const [executable, plugin] = [found(EXECUTABLES), found(PLUGINS)];
  return executable && plugin ? { executable, plugin } : null;
}

/** Start Orthanc, empty. Throws, naming the way out, where it is not installed. */
export async function startOrthanc(): Promise<Orthanc> {
  const installed = findOrthanc();
  if (!installed) {
    throw new Error("Orthanc was not found. Install it (Debian: apt-get install orthanc orthanc-dicomweb).");
  }
  const folder = await mkdtemp(join(tmpdir(), "orthanc-"));
  const [username, password] = ["gateway", randomBytes(12).toString("hex")];
  // Another process may take the port between asking for it and using it: then Orthanc ends, and another is tried.
  for (let attempt = 1; ; attempt += 1) {
    const port = await freePort();
    const configuration = join(folder, "orthanc.json");
    const settings = { ...SETTINGS, HttpPort: port, RegisteredUsers: { [username]: password } };
    const folders = { StorageDirectory: folder, IndexDirectory: folder, Plugins: [installed.plugin] };
    await writeFile(configuration, JSON.stringify({ ...settings, ...folders }));
    let child = run(installed.executable, configuration);
    const base = `http://127.0.0.1:${port}`;
    const authorization = basicAuthorization(username, password);
    const url = `${base}/dicom-web`;
    if (await answers(child, `${url}/studies?limit=1`, authorization)) {
      return {
        url,
        username,
        password,
        authorization,
        add: (paths) => add(base, authorization, paths),
        take: (file) => take(base, authorization, file),
        remove: (sopInstanceUid) => remove(base, authorization, sopInstanceUid),
        async kill() {
          child.kill("SIGKILL");
          await once(child, "exit");
        },
        async restart() {
          child = run(installed.executable, configuration);
          if (!(await answers(child, `${url}/studies?limit=1`, authorization)))
            throw new Error("Orthanc did not start again.");
        },
        close: () => stop(child, folder),
      };
    }
    if (attempt === 3) throw new Error("Orthanc was started three times and never answered.");
  }
}

const SETTINGS = {
  Name: "examkey-test",
  DicomServerEnabled: false,
  RemoteAccessAllowed: false,
  AuthenticationEnabled: true,
  DicomWeb: { Root: "/dicom-web/" },
};

function run(executable: string, configuration: string): ChildProcess {
  const child = spawn(executable, [configuration], { stdio: "ignore" });
  // A test that fails while it starts does not come to close it.
  const kill = () => child.kill("SIGKILL");
  process.once("exit", kill);
  child.once("exit", () => process.off("exit", kill));
  return child;
}

async function answers(child: ChildProcess, url: string, authorization: string): Promise<boolean> {
  while (child.exitCode === null && child.signalCode === null) {
    const response = await fetch(url, { headers: { authorization } }).catch(() => null);
    if (response?.ok) return true;
    await wait(100);
  }
  return false;
}

async function add(base: string, authorization: string, paths: Iterable<string>): Promise<void> {
  for (const path of paths) {
    await take(base, authorization, await readFile(path)).catch((cause) => {
      throw new Error(`Orthanc did not take ${path}`, { cause });
    });
  }
}

async function take(base: string, authorization: string, body: Uint8Array<ArrayBuffer>): Promise<void> {
  const response = await fetch(`${base}/instances`, { method: "POST", headers: { authorization }, body });
  if (!response.ok) throw new Error(`Orthanc refused a file with ${response.status}`);
  await response.arrayBuffer();
}

async function remove(base: string, authorization: string, sopInstanceUid: string): Promise<void> {
  const headers = { authorization };
  const looked = await fetch(`${base}/tools/lookup`, { method: "POST", headers, body: sopInstanceUid });
  const found = (await looked.json()) as { Path: string }[];
  if (found.length !== 1) throw new Error(`Orthanc has ${found.length} of ${sopInstanceUid}`);
  const removed = await fetch(`${base}${found[0]?.Path}`, { method: "DELETE", headers });
  if (!removed.ok) throw new Error(`Orthanc refused to remove ${sopInstanceUid} with ${removed.status}`);
}

async function stop(child: ChildProcess, folder: string): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) {
    child.kill("SIGTERM");
    await once(child, "exit");
  }
  await rm(folder, { recursive: true, force: true });
}
