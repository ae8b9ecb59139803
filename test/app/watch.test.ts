import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, expect, test } from "vitest";
import { GatewayError, ownProblem } from "../../app/api/index.ts";
import { eventsOf, watchAccess } from "../../app/features/reading/watch.ts";

const servers: Server[] = [];

afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

type Handler = (request: IncomingMessage, response: ServerResponse, count: number) => void;

async function serve(handler: Handler): Promise<string> {
  let count = 0;
  const server = createServer((request, response) => {
    count += 1;
    handler(request, response, count);
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/exams/0x1/watch`;
}

const PERMITTED = 'event: permitted\ndata: {"validUntil":1}\n\n';

function problem(reason: string) {
  return { type: `urn:examkey:problem:${reason}`, title: "t", status: 403, detail: "d", reason };
}

function ended(reason: string): string {
  return `event: ended\ndata: ${JSON.stringify(problem(reason))}\n\n`;
}

function stream(response: ServerResponse, ...chunks: string[]): void {
  response.writeHead(200, { "content-type": "text/event-stream" });
  for (const chunk of chunks) response.write(chunk);
}

function watching(url: string, signal = new AbortController().signal) {
  let permits = 0;
  return {
    permits: () => permits,
    ended: watchAccess({
      url,
      getToken: async () => "token",
      onPermitted: () => {
        permits += 1;
      },
      signal,
      patience: 700,
      pause: 20,
    }),
  };
}

test("access is permitted, then ends for the gateway's reason", async () => {
  const url = await serve((request, response) => {
    expect(request.headers.authorization).toBe("Bearer token");
    stream(response, ":\n\n", PERMITTED, ":\n\n");
    setTimeout(() => response.end(ended("revoked")), 50);
  });
  const watched = watching(url);
  expect(await watched.ended).toMatchObject({ reason: "revoked" });
  expect(watched.permits()).toBe(1);
});

test("a refusal at once ends it, and nothing was permitted", async () => {
  const url = await serve((_, response) => {
    response.writeHead(403, { "content-type": "application/problem+json" });
    response.end(JSON.stringify(problem("not-granted")));
  });
  const watched = watching(url);
  expect(await watched.ended).toMatchObject({ reason: "not-granted" });
  expect(watched.permits()).toBe(0);
});

test("a connection that drops is taken up again", async () => {
  const url = await serve((_, response, count) => {
    stream(response, PERMITTED);
    setTimeout(() => (count === 1 ? response.destroy() : response.end(ended("expired"))), 30);
  });
  const watched = watching(url);
  expect(await watched.ended).toMatchObject({ reason: "expired" });
  expect(watched.permits()).toBe(2);
});

test("a token that runs out while watching is no end of access", async () => {
  const url = await serve((_, response, count) => {
    stream(response, PERMITTED);
    response.end(ended(count === 1 ? "token-expired" : "revoked"));
  });
  expect(await watching(url).ended).toMatchObject({ reason: "revoked" });
});

test("a gateway that falls silent without closing is unreachable", async () => {
  const url = await serve((_, response, count) => {
    if (count === 1) stream(response, PERMITTED);
  });
  const watched = watching(url);
  expect(await watched.ended).toMatchObject({ reason: "gateway-unreachable" });
  expect(watched.permits()).toBe(1);
});

test("a gateway that is gone is unreachable", async () => {
  const url = await serve((_, response) => response.destroy());
  expect(await watching(url).ended).toMatchObject({ reason: "gateway-unreachable" });
});

test("heartbeats alone keep it open", async () => {
  const controller = new AbortController();
  let beats = 0;
  const url = await serve((_, response) => {
    stream(response, PERMITTED);
    const timer = setInterval(() => {
      response.write(":\n\n");
      beats += 1;
      // Longer than the patience that the watch has with silence.
      if (beats === 12) controller.abort();
    }, 100);
    response.on("close", () => clearInterval(timer));
  });
  expect(await watching(url, controller.signal).ended).toBeNull();
  expect(beats).toBe(12);
});

test("a sign-in that is over ends it: nobody can renew the token", async () => {
  const url = await serve((_, response) => stream(response, PERMITTED));
  const over = await watchAccess({
    url,
    getToken: () => Promise.reject(new GatewayError(ownProblem("session-ended"))),
    onPermitted: () => undefined,
    signal: new AbortController().signal,
  });
  expect(over).toMatchObject({ reason: "session-ended" });
});

test("an end that cannot be read is still an end", async () => {
  const url = await serve((_, response) => {
    stream(response, PERMITTED);
    response.end("event: ended\ndata: {\n\n");
  });
  expect(await watching(url).ended).toMatchObject({ reason: "answer-not-understood" });
});

test("events are read whole, however the stream is cut", async () => {
  const text = 'event: permitted\r\ndata: {"é":\r\ndata: 1}\r\n\r\n:beat\n\ndata: plain\n\n';
  const bytes = new TextEncoder().encode(text);
  for (const size of [1, 2, 7, bytes.length]) {
    const body = new ReadableStream<Uint8Array>({
      start(controller) {
        for (let at = 0; at < bytes.length; at += size) controller.enqueue(bytes.slice(at, at + size));
        controller.close();
      },
    });
    const events = [];
    for await (const event of eventsOf(body)) if (event) events.push(event);
    expect(events).toEqual([
      { event: "permitted", data: '{"é":\n1}' },
      { event: "message", data: "plain" },
    ]);
  }
});
