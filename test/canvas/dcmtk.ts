/** The same slice as an independent implementation of the standard draws it: DCMTK. */
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { type Gray, readPgm } from "./pixels.ts";

const run = promisify(execFile);

/** The program's names: Debian calls it dcm2pnm, newer DCMTK dcm2img; dcmj2pnm reads JPEG as well. */
const PROGRAMS = ["dcmj2pnm", "dcm2pnm", "dcm2img"];

/** DCMTK's picture of one frame, with the given window (PS3.3 C.11.2.1.2, linear). */
export async function renderWithDcmtk(
  file: string,
  window: { center: number; width: number },
  frame = 1,
): Promise<Gray> {
  const dir = await mkdtemp(join(tmpdir(), "dcmtk-"));
  try {
    const out = join(dir, "slice.pgm");
    const options = ["+Ww", String(window.center), String(window.width), "+F", String(frame), "+op"];
    await runFirst([...options, file, out]);
    return readPgm(await readFile(out));
  } finally {
    await rm(dir, { recursive: true });
  }
}

async function runFirst(args: string[]): Promise<void> {
  for (const program of PROGRAMS) {
    try {
      await run(program, args);
      return;
    } catch (error) {
      if (!(error instanceof Error && "code" in error && error.code === "ENOENT")) throw error;
    }
  }
  throw new Error("DCMTK was not found. Install it (Debian: apt-get install dcmtk).");
}
