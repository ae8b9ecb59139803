/** The same slice as an independent implementation of the standard draws it: DCMTK. */
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";
import { type Picture, readPnm } from "./pixels.ts";

const run = promisify(execFile);

/** The program's names: dcmj2pnm reads JPEG and RLE, dcml2pnm JPEG-LS; newer DCMTK calls the one that reads all dcm2img. */
const PROGRAMS = ["dcmj2pnm", "dcml2pnm", "dcm2img"];

/** Where one of the programs is on this machine, or null. */
export function findDcmtk(): string | null {
  const folders = (process.env.PATH ?? "").split(delimiter);
  const paths = folders.flatMap((folder) => PROGRAMS.map((program) => join(folder, program)));
  return paths.find((path) => existsSync(path)) ?? null;
}

/** DCMTK's picture of one frame, with the given window (PS3.3 C.11.2.1.2, linear); null for colours. */
export async function renderWithDcmtk(
  file: string,
  window: { center: number; width: number } | null,
  frame = 1,
): Promise<Picture> {
  const dir = await mkdtemp(join(tmpdir(), "dcmtk-"));
  try {
    const out = join(dir, "slice.pgm");
    const windowing = window ? ["+Ww", String(window.center), String(window.width)] : [];
    await runFirst([...windowing, "+F", String(frame), "+op", file, out]);
    return readPnm(await readFile(out));
  } finally {
    await rm(dir, { recursive: true });
  }
}

async function runFirst(args: string[]): Promise<void> {
  let refusal: unknown = new Error("DCMTK was not found. Install it (Debian: apt-get install dcmtk).");
  for (const program of PROGRAMS) {
    try {
      await run(program, args);
      return;
    } catch (error) {
      const absent = error instanceof Error && "code" in error && error.code === "ENOENT";
      if (!absent) refusal = error;
    }
  }
  throw refusal;
}
