import { spawn } from "node:child_process";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";

const root = join(import.meta.dirname, "..", "..");
const wallet = "0xd8dA6BF26964aF9D7eEd9e03E53415D37aA96045";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "examkey-start-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Runs `npm start` with arguments that it must refuse before it starts anything. */
async function refused(...args: string[]): Promise<string> {
  const child = spawn(process.execPath, ["scripts/bootstrap.mjs", "start", "--data", folder, ...args], {
    cwd: root,
    env: { ...process.env, EXAMKEY_FROM: folder },
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => (output += chunk));
  const code = await new Promise((resolve) => child.on("close", resolve));
  expect(code).not.toBe(0);
  expect(output).not.toMatch(/^\s+at /m);
  expect(output.trim().split("\n")).toHaveLength(1);
  return output;
}

describe("npm start refuses, in one line that names the way out,", () => {
  test.each([
    [["--dicmo", "x"], "did you mean --dicom?"],
    [["--frobnicate"], "`--help` lists the options"],
    [["--dicom"], "--dicom"],
    [["--dicom", "missing"], "Give a folder that holds DICOM files"],
    [["--port", "http"], "is not a port"],
    [["--port", "70000"], "is not a port"],
    [["--port", "9000", "--chain-port", "9000"], "different ports"],
    [["--patient", "0x1234"], "is not an address"],
    [["--patient", wallet.replace("d8dA", "d8da")], "a digit is wrong"],
    [["--patient", wallet, "--radiologist", wallet], "Use two accounts"],
    [["extra"], "extra"],
  ])("%j", async (args, words) => {
    expect(await refused(...args)).toContain(words);
  });

  test("a file instead of a folder", async () => {
    writeFileSync(join(folder, "scan.dcm"), "");
    expect(await refused("--dicom", "scan.dcm")).toContain("Give the folder that it is in");
  });

  test.skipIf(process.getuid?.() === 0)(
    "a folder that cannot be read (root may read every folder)",
    async () => {
      chmodSync(folder, 0o000);
      expect(await refused("--dicom", folder)).toContain("cannot be read");
      chmodSync(folder, 0o700);
    },
  );

  test.each([
    ["--port", "--chain-port"],
    ["--chain-port", "--port"],
  ])("a port in use: %s", async (option, other) => {
    const server = createServer().listen(0, "127.0.0.1");
    await new Promise((resolve) => server.once("listening", resolve));
    const { port } = server.address() as { port: number };
    expect(await refused(other, "0", option, String(port))).toMatch(
      new RegExp(`Port ${port}.* is in use.*${option} N`),
    );
    server.close();
  });
});
