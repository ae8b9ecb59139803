import { createHash } from "node:crypto";
import { accessSync, constants, mkdirSync, realpathSync, statSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { ROOT } from "../checks/program.ts";
import { readAddress } from "../desk.ts";
import { CALLED_FROM, readArguments, UsageError } from "../usage.ts";

export const HELP = `npm start -- [options]     run the whole demo on this machine

  --dicom DIR         serve your own exams instead of the samples; DIR is only read
  --patient 0x…       your own wallet takes the place of the first patient, and is funded
  --radiologist 0x…   your own wallet is enrolled as a radiologist, and is funded
  --port N            where the app and the gateway listen (8080; 0 takes any free port)
  --chain-port N      where the chain listens (8545; 0 takes any free port)
  --data DIR          where the gateway keeps its database (.examkey)
  --help              this text

Everything listens on 127.0.0.1 alone. Ctrl-C ends it. The chain forgets when it ends; the database stays,
and the next start registers its exams again.`;

/** What the person asked for, checked. */
export interface StartOptions {
  /** Folder of DICOM files to serve; null for the samples. */
  dicom: string | null;
  /** The person's own wallet as a patient, with its checksum; null for the persona. */
  patient: string | null;
  /** The person's own wallet as a radiologist, with its checksum. */
  radiologist: string | null;
  port: number;
  chainPort: number;
  /** Where this run keeps its data: one folder for each source of exams, so that runs do not mix. */
  dataDir: string;
}

function readPort(option: string, text: string): number {
  const port = Number(text);
  if (/^\d+$/.test(text) && port <= 65535) return port;
  throw new UsageError(
    `--${option}: "${text}" is not a port. Give a number from 1024 to 65535, or 0 for any free one.`,
  );
}

function readFolder(folder: string): string {
  try {
    if (!statSync(folder).isDirectory()) {
      throw new UsageError(`--dicom: ${folder} is a file. Give the folder that it is in.`);
    }
    accessSync(folder, constants.R_OK | constants.X_OK);
    return realpathSync(folder);
  } catch (error) {
    if (error instanceof UsageError) throw error;
    const missing = (error as NodeJS.ErrnoException).code === "ENOENT";
    throw new UsageError(
      missing
        ? `--dicom: there is no folder ${folder}. Give a folder that holds DICOM files.`
        : `--dicom: ${folder} cannot be read (${(error as NodeJS.ErrnoException).code}). Give yourself the right to read it.`,
    );
  }
}

function makeDataDir(folder: string): string {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    accessSync(folder, constants.R_OK | constants.W_OK | constants.X_OK);
    return folder;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new UsageError(
      `The data folder ${folder} cannot be written (${code}). Choose another with --data DIR.`,
    );
  }
}

/** The folder that one source of exams keeps its data in: readable by its name, and unique by its path. */
function dataDirFor(base: string, dicom: string | null): string {
  if (dicom === null) return join(base, "samples");
  const mark = createHash("sha256").update(dicom).digest("hex").slice(0, 8);
  return join(base, `${basename(dicom).replace(/[^\w.-]/g, "_")}-${mark}`);
}

/**
 * Reads the command line. Paths are meant from where the person stood.
 * @returns null when only help was asked for
 * @throws {UsageError} with one line that names the way out
 */
export function readOptions(): StartOptions | null {
  const text = { type: "string" } as const;
  const { values } = readArguments({
    options: {
      dicom: text,
      patient: text,
      radiologist: text,
      port: { ...text, default: "8080" },
      "chain-port": { ...text, default: "8545" },
      data: text,
      help: { type: "boolean", short: "h" },
    },
  });
  if (values.help) return null;
  const port = readPort("port", values.port);
  const chainPort = readPort("chain-port", values["chain-port"]);
  if (port !== 0 && port === chainPort) {
    throw new UsageError(`--port and --chain-port are both ${port}. Give them different ports.`);
  }
  const patient = values.patient === undefined ? null : readAddress("patient", values.patient);
  const radiologist =
    values.radiologist === undefined ? null : readAddress("radiologist", values.radiologist);
  if (patient !== null && patient === radiologist) {
    throw new UsageError(
      "--patient and --radiologist are one wallet. Use two accounts, so that one can grant to the other.",
    );
  }
  const dicom = values.dicom === undefined ? null : readFolder(resolve(CALLED_FROM, values.dicom));
  const base = values.data === undefined ? join(ROOT, ".examkey") : resolve(CALLED_FROM, values.data);
  return { dicom, patient, radiologist, port, chainPort, dataDir: makeDataDir(dataDirFor(base, dicom)) };
}
