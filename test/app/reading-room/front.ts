/**
 * A small HTTP server in front of a real archive: it serves the reading room's page, asks for a token, passes
 * DICOMweb through, and answers as it is told for chosen resources, to bring about what an archive seldom does.
 */
import { readFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { extname, join, normalize } from "node:path";

/** How to answer instead of the archive; "damage" passes its answer on with the pixel data overwritten. */
export type Fault = { status: number; detail: string } | "damage" | "truncate";

export interface Front {
  url: string;
  /** The archive behind it; another one may take its place. */
  upstream: Upstream;
  /** Tokens that are accepted; empty accepts all. */
  tokens: Set<string>;
  /** Which answers to replace, by the DICOMweb path. */
  fault: (path: string) => Fault | undefined;
  /** DICOMweb paths asked for so far, with the token each carried. */
  requests: { path: string; token: string }[];
  close(): Promise<void>;
}

export interface Upstream {
  /** DICOMweb root, without a trailing slash. */
  url: string;
  authorization?: string;
}

const TYPES: Record<string, string> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript",
  ".css": "text/css",
  ".wasm": "application/wasm",
};

/** Serve `pageDir` and the archive behind it on a free loopback port. */
export async function startFront(pageDir: string, upstream: Upstream): Promise<Front> {
  const server = createServer((request, response) => {
    const path = new URL(request.url ?? "/", "http://front").pathname;
    const answer = path.startsWith("/dicomweb/")
      ? passOn(front, request, response)
      : servePage(pageDir, path, response);
    answer.catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const front: Front = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    upstream,
    tokens: new Set(),
    fault: () => undefined,
    requests: [],
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  return front;
}

async function servePage(dir: string, path: string, response: ServerResponse): Promise<void> {
  const file = join(dir, normalize(path === "/" ? "/index.html" : path));
  const body = await readFile(file).catch(() => null);
  response.writeHead(body ? 200 : 404, {
    "content-type": TYPES[extname(file)] ?? "application/octet-stream",
  });
  response.end(body ?? "");
}

async function passOn(front: Front, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { upstream } = front;
  const url = request.url ?? "/";
  const token = (request.headers.authorization ?? "").replace(/^Bearer /, "");
  front.requests.push({ path: url, token });
  if (front.tokens.size > 0 && !front.tokens.has(token))
    return refuse(response, 401, "The token is not valid.");
  const fault = front.fault(url);
  if (typeof fault === "object") return refuse(response, fault.status, fault.detail);
  const headers: Record<string, string> = {
    accept: request.headers.accept ?? "*/*",
    "accept-encoding": "identity",
  };
  if (upstream.authorization) headers.authorization = upstream.authorization;
  // Orthanc wants the comma between numbers as it is.
  const resource = url.slice("/dicomweb".length).replaceAll("%2C", ",");
  const answer = await fetch(`${upstream.url}${resource}`, { headers });
  const type = answer.headers.get("content-type") ?? "";
  const body = new Uint8Array(await answer.arrayBuffer());
  response.writeHead(answer.status, { "content-type": type });
  // Bulk data is named by the archive's own address, which is the front's to everyone else.
  if (type.includes("json")) {
    response.end(Buffer.from(body).toString().replaceAll(upstream.url, `${front.url}/dicomweb`));
  } else response.end(fault ? spoil(body, fault) : body);
}

function refuse(response: ServerResponse, status: number, detail: string): void {
  response.writeHead(status, { "content-type": "application/problem+json" });
  response.end(JSON.stringify({ type: "about:blank", title: "Refused", status, detail, reason: "test" }));
}

/** Keep the multipart envelope, so that only the frame itself is wrong. */
function spoil(message: Uint8Array, fault: "damage" | "truncate"): Uint8Array {
  const start = Buffer.from(message).indexOf("\r\n\r\n") + 4;
  const end = Buffer.from(message).lastIndexOf("\r\n--");
  if (fault === "damage") return message.fill(0xa5, start, end);
  const middle = start + 2 * Math.floor((end - start) / 4);
  return Buffer.concat([message.subarray(0, middle), message.subarray(end)]);
}
