import { type FileHandle, open } from "node:fs/promises";

/** Opens a file for `use`, and closes it whatever comes of that. (`await using` would need Node 24.) */
export async function withFile<T>(
  path: string,
  flags: "r" | "wx",
  use: (file: FileHandle) => Promise<T>,
): Promise<T> {
  const file = await open(path, flags, 0o600);
  try {
    return await use(file);
  } finally {
    await file.close();
  }
}
