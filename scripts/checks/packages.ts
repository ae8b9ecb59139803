import { existsSync, globSync, rmSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { runProgram } from "./program.ts";

/** What only tests need, and no npm package brings: the Debian package, and the files any of which shows it. */
const NEEDED = [
  { debian: "chromium", files: ["chromium", "chromium-browser", "google-chrome"] },
  { debian: "orthanc", files: ["Orthanc"] },
  { debian: "orthanc-dicomweb", files: ["/usr/share/orthanc/plugins/libOrthancDicomWeb.so"] },
  { debian: "dcmtk", files: ["dcmj2pnm", "dcm2pnm"] },
  { debian: "z3", files: ["z3"] },
  { debian: "postgresql", files: ["/usr/lib/postgresql/*/bin/postgres"] },
  { debian: "nginx", files: ["nginx"] },
];

const ELSEWHERE = [
  "  Debian, Ubuntu: sudo apt-get install --no-install-recommends chromium orthanc orthanc-dicomweb dcmtk z3 postgresql nginx",
  "  macOS: brew install --cask chromium && brew install dcmtk z3; Orthanc with its DICOMweb plugin comes from",
  "  https://www.orthanc-server.com",
];

/** Debian asks this file before it starts a service; 101 forbids it. Orthanc's would listen on all interfaces. */
const SERVICE_POLICY = "/usr/sbin/policy-rc.d";

function isPresent(file: string): boolean {
  if (file.startsWith("/")) return globSync(file).length > 0;
  const folders = [...(process.env.PATH ?? "").split(delimiter), "/usr/sbin", "/usr/local/sbin"];
  return folders.some((folder) => existsSync(join(folder, file)));
}

/** The Debian names of the programs that are not installed. */
export function missingPackages(): string[] {
  return NEEDED.filter(({ files }) => !files.some(isPresent)).map(({ debian }) => debian);
}

async function aptInstall(packages: string[]): Promise<string | null> {
  const env = { DEBIAN_FRONTEND: "noninteractive" };
  const update = await runProgram("apt-get", ["update", "-q"], { env });
  if (update.code !== 0) return update.output;
  const policyIsOurs = !existsSync(SERVICE_POLICY);
  if (policyIsOurs) writeFileSync(SERVICE_POLICY, "#!/bin/sh\nexit 101\n", { mode: 0o755 });
  try {
    const args = ["install", "-y", "-q", "--no-install-recommends", ...packages];
    const install = await runProgram("apt-get", args, { env });
    return install.code === 0 ? null : install.output;
  } finally {
    if (policyIsOurs) rmSync(SERVICE_POLICY, { force: true });
  }
}

/**
 * Installs with apt what tests need, where that is possible, or says what to install.
 * Returns null when all is there, or else why not.
 */
export async function fetchPackages(): Promise<string | null> {
  const missing = missingPackages();
  if (missing.length === 0) return null;
  const canInstall = process.getuid?.() === 0 && isPresent("apt-get");
  if (!canInstall) {
    return [
      `Not installed: ${missing.join(", ")}. Tests that need them are skipped by name.`,
      ...ELSEWHERE,
    ].join("\n");
  }
  console.log(`Installing with apt what only tests need: ${missing.join(", ")} …`);
  const error = await aptInstall(missing);
  if (error === null && missingPackages().length === 0) return null;
  const end = (error ?? "").trim().split("\n").slice(-5).join("\n");
  return `apt-get could not install ${missingPackages().join(", ")}. Tests that need them are skipped by name.\n${end}`;
}
