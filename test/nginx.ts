/** The nginx of docs/operations.md, in front of one gateway or several: as it is written there, but for TLS. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "./freePort.ts";

const NGINX = "/usr/sbin/nginx";

/** A running nginx. */
export interface Nginx {
  /** What browsers reach it at. */
  url: string;
  /** What it logged. */
  logs(): string[];
  close(): Promise<void>;
}

export function findNginx(): string | null {
  return existsSync(NGINX) ? NGINX : null;
}

/** Start it before gateways on these ports of 127.0.0.1. Call only where `findNginx` finds it. */
export async function startNginx(gateways: readonly number[]): Promise<Nginx> {
  const folder = await mkdtemp(join(tmpdir(), "examkey-nginx-"));
  const port = await freePort();
  await mkdir(join(folder, "logs"));
  await writeFile(join(folder, "nginx.conf"), configuration(folder, port, gateways));
  const nginx = spawn(NGINX, ["-p", folder, "-c", join(folder, "nginx.conf")], { stdio: "ignore" });
  return {
    url: `http://127.0.0.1:${port}`,
    logs: () => ["examkey.log", "examkey-error.log"].map((file) => readFileSync(join(folder, file), "utf8")),
    async close() {
      const ended = once(nginx, "close");
      nginx.kill("SIGTERM");
      await ended;
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** The blocks in the page, listening on a free port, and logging into a folder. */
function configuration(folder: string, port: number, gateways: readonly number[]): string {
  const page = readFileSync(new URL("../docs/operations.md", import.meta.url), "utf8");
  const [server = "", upstream = ""] = [...page.matchAll(/```nginx\n(.*?)```/gs)].map(([, block]) => block);
  const places = gateways.map((gateway) => `server 127.0.0.1:${gateway};`);
  const [only] = gateways;
  const balanced = upstream.replace(/(\s*server [^;]+;)+/, ` ${places.join(" ")}`);
  const served = server
    .replace("listen 443 ssl", `listen 127.0.0.1:${port}`)
    .replace("http://127.0.0.1:8080", gateways.length === 1 ? `http://127.0.0.1:${only}` : "http://examkey")
    .replaceAll("/var/log/nginx", folder);
  const paths = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map(
    (each) => `${each}_temp_path ${folder}/${each};`,
  );
  const blocks = gateways.length === 1 ? served : `${balanced} ${served}`;
  return `daemon off; pid ${folder}/pid; error_log ${folder}/start.log; events {} http { ${paths.join(" ")} ${blocks} }`;
}
