/** nginx before an archive, asking a trivial permit service about each request (ngx_http_auth_request_module). */
import { type ChildProcess, fork, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "../../../test/freePort.ts";
import type { Orthanc } from "../../../test/orthanc.ts";
import { until } from "../../../test/world.ts";

const NGINX = "/usr/sbin/nginx";

/** Whether nginx is here (Debian's package of that name). */
export function hasNginx(): boolean {
  return existsSync(NGINX);
}

/** A running nginx, with its permit service. */
export type Nginx = {
  /** Scheme, host and port. */
  origin: string;
  /** Its processes, and the permit service's. */
  processes: readonly ChildProcess[];
  close(): Promise<void>;
};

/** Start both. Connections to the archive and to the permit service are kept, one worker for each core. */
export async function startNginx(orthanc: Orthanc): Promise<Nginx> {
  const folder = await mkdtemp(join(tmpdir(), "examkey-nginx-"));
  const permits = fork(join(import.meta.dirname, "permitService.ts"));
  const [permitPort] = (await once(permits, "message")) as [number];
  const port = await freePort();
  await writeFile(join(folder, "nginx.conf"), configurationOf({ folder, port, permitPort, orthanc }));
  const nginx = spawn(NGINX, ["-p", folder, "-c", join(folder, "nginx.conf")], { stdio: "ignore" });
  const origin = `http://127.0.0.1:${port}`;
  await until("nginx listens", async () => (await fetch(origin).catch(() => null)) !== null);
  return {
    origin,
    processes: [nginx, permits],
    async close() {
      const ended = Promise.all([once(nginx, "close"), once(permits, "close")]);
      // At once: to end gracefully, it waits for connections that clients keep.
      nginx.kill("SIGTERM");
      permits.kill("SIGTERM");
      await ended;
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function configurationOf({
  folder,
  port,
  permitPort,
  orthanc,
}: {
  folder: string;
  port: number;
  permitPort: number;
  orthanc: Orthanc;
}): string {
  const archive = new URL(orthanc.url);
  const paths = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map(
    (each) => `${each}_temp_path ${folder}/${each};`,
  );
  return `
daemon off; pid ${folder}/pid; error_log ${folder}/error.log; worker_processes auto;
events {}
http {
  access_log off; ${paths.join(" ")}
  upstream archive { server ${archive.host}; keepalive 16; }
  upstream permits { server 127.0.0.1:${permitPort}; keepalive 16; }
  proxy_http_version 1.1;
  proxy_set_header Connection "";
  server {
    listen 127.0.0.1:${port};
    location ${archive.pathname}/ {
      auth_request /permit;
      proxy_set_header Authorization "${orthanc.authorization}";
      proxy_pass http://archive;
    }
    location = /permit {
      internal;
      proxy_pass http://permits;
      proxy_pass_request_body off;
      proxy_set_header Content-Length "";
      proxy_set_header X-Original-URI $request_uri;
    }
  }
}
`;
}
