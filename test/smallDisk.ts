/** A disk that is soon full: a file system in memory, which only root may mount. */
import { execFileSync } from "node:child_process";
import { chmod, mkdtemp, open, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface SmallDisk {
  folder: string;
  /** Take all that is left of it. */
  fill(): Promise<void>;
  /** Give that back. */
  empty(): Promise<void>;
  close(): Promise<void>;
}

/** Mount one; null where this user may not. */
export async function mountSmallDisk(megabytes: number): Promise<SmallDisk | null> {
  const folder = await mkdtemp(join(tmpdir(), "examkey-disk-"));
  try {
    const size = `size=${megabytes}m`;
    execFileSync("mount", ["-t", "tmpfs", "-o", size, "tmpfs", folder], { stdio: "ignore" });
  } catch {
    await rm(folder, { recursive: true });
    return null;
  }
  await chmod(folder, 0o755);
  const filler = join(folder, "filler");
  return {
    folder,
    async fill() {
      const file = await open(filler, "a");
      // Large pieces first: the last one that fits leaves less than a page of the database.
      for (const piece of [1 << 20, 1 << 12]) await writeUntilFull(file, Buffer.alloc(piece));
      await file.close();
    },
    empty: () => rm(filler, { force: true }),
    async close() {
      execFileSync("umount", [folder]);
      await rm(folder, { recursive: true });
    },
  };
}

async function writeUntilFull(file: Awaited<ReturnType<typeof open>>, piece: Buffer): Promise<void> {
  try {
    for (;;) await file.appendFile(piece);
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ENOSPC")) throw error;
  }
}
