/** Connections of a process, as Linux tells. */
import { readdirSync, readFileSync, readlinkSync } from "node:fs";

/** TCP connections over IPv4, by their ports, ended ones not counted. What listens has no remote port. */
export function connectionsOf(pid: number): { local: number; remote: number }[] {
  const own = socketsOf(pid);
  const [, ...rows] = readFileSync(`/proc/${pid}/net/tcp`, "utf8").trimEnd().split("\n");
  return rows
    .map((row) => row.trim().split(/\s+/))
    .filter((columns) => own.has(columns[9] ?? ""))
    .map(([, local, remote]) => ({ local: portIn(local), remote: portIn(remote) }))
    .filter(({ remote }) => remote !== 0);
}

/** Inodes of a process's sockets. */
function socketsOf(pid: number): Set<string> {
  const folder = `/proc/${pid}/fd`;
  const links = readdirSync(folder).map((handle) => {
    try {
      return readlinkSync(`${folder}/${handle}`);
    } catch {
      // Closed since it was listed.
      return "";
    }
  });
  return new Set(links.map((link) => /^socket:\[(\d+)\]$/.exec(link)?.[1] ?? ""));
}

/** The port of `0100007F:1F90`. */
function portIn(address = ""): number {
  return Number.parseInt(address.split(":")[1] ?? "0", 16);
}
