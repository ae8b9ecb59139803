/** The HTTP side of the gateway: security headers, CORS, problems, and the built app. */
import type { RequestListener } from "node:http";
import { join } from "node:path";
import cors from "@fastify/cors";
import fastifyStatic from "@fastify/static";
import Fastify, {
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  LogController,
} from "fastify";
import { RECEIPT_HEADER } from "../protocol/receipt.ts";
import { deliverReceipts } from "./audit/delivery.ts";
import type { Listener } from "./listener.ts";
import { logOptions } from "./operations/log.ts";
import type { Metrics } from "./operations/metrics.ts";
import { logFault, Problem, sendProblem, toProblem } from "./problem.ts";
import type { Site } from "./site.ts";
import { refuseUnreadable } from "./unreadable.ts";

/** The largest request body: a signed message. */
const LARGEST_BODY = 64 * 1024;

/**
 * What the app may load and talk to. Codecs are WebAssembly; gateways and chains are elsewhere, over TLS but for
 * this machine.
 */
const CONTENT_SECURITY_POLICY = [
  "default-src 'self'",
  "script-src 'self' 'wasm-unsafe-eval'",
  "worker-src 'self' blob:",
  "img-src 'self' blob: data:",
  "style-src 'self' 'unsafe-inline'",
  "connect-src 'self' http://127.0.0.1:* http://localhost:* https: wss:",
  "object-src 'none'",
  "base-uri 'self'",
  "form-action 'self'",
  "frame-ancestors 'none'",
].join("; ");

/** First segments of paths that are the API's: never answered with the app's page. */
const API_PATHS = [
  "auth",
  "dicomweb",
  "exams",
  "fhir",
  "grants",
  "me",
  "people",
  "relay",
  ".well-known",
  "healthz",
  "readyz",
];

export type WebServerParts = {
  site: Site;
  listener: Listener;
  metrics: Metrics;
  logLevel: string;
  trustedProxies: readonly string[];
};

/** A server that answers everything it does not know with a problem. Nothing that it logs names an exam or a token. */
export function createWebServer(parts: WebServerParts): FastifyInstance {
  const { site, listener, metrics } = parts;
  let handle: RequestListener = () => undefined;
  const app = Fastify({
    serverFactory(handler) {
      handle = handler;
      return listener.server;
    },
    logger: logOptions(parts.logLevel),
    trustProxy: [...parts.trustedProxies],
    // Paths hold UIDs: `logAnswer` logs routes instead.
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: LARGEST_BODY,
    // A list of frames is one long parameter.
    routerOptions: { maxParamLength: 16_384 },
    clientErrorHandler: refuseUnreadable,
    frameworkErrors: (error, _request, reply) => void sendProblem(reply, toProblem(error)),
  });
  app.register(cors, {
    origin: (origin, done) => done(null, !!origin && site.origins.includes(origin)),
    methods: ["GET", "HEAD", "POST"],
    allowedHeaders: ["accept", "authorization", "content-type", "range"],
    exposedHeaders: [
      "content-length",
      "content-type",
      "content-range",
      "accept-ranges",
      "location",
      "warning",
      "retry-after",
      RECEIPT_HEADER,
    ],
    maxAge: 600,
  });
  deliverReceipts(app);
  const headers = headersOf(site);
  app.addHook("onRequest", async (_request, reply) => void reply.headers(headers));
  app.addHook("onResponse", async (request, reply) => {
    metrics.answered(request, reply);
    logAnswer(request, reply);
  });
  app.setErrorHandler((error, request, reply) => {
    const problem = toProblem(error);
    metrics.problem(problem.reason);
    if (problem.status >= 500) logFault(request, problem);
    return sendProblem(reply, problem);
  });
  app.addHook("onReady", async () => listener.serve(handle));
  return app;
}

/** Serve the built app, and its page for every address that is the app's own. Without a folder, only problems. */
export async function serveApp(app: FastifyInstance, appDir: string | null): Promise<void> {
  if (appDir) {
    await app.register(fastifyStatic, {
      root: appDir,
      wildcard: false,
      cacheControl: false,
      setHeaders: (reply, path) => {
        // Vite puts a digest of the contents into the names of what is below `assets`.
        const isImmutable = path.startsWith(join(appDir, "assets"));
        reply.header("cache-control", isImmutable ? "public, max-age=31536000, immutable" : "no-cache");
      },
    });
  }
  app.setNotFoundHandler((request, reply) => {
    if (appDir && wantsPage(request)) return reply.sendFile("index.html");
    return sendProblem(reply, new Problem("not-found"));
  });
}

function wantsPage({ method, url, headers }: FastifyRequest): boolean {
  const first = url.split(/[/?]/)[1] ?? "";
  return method === "GET" && !API_PATHS.includes(first) && !!headers.accept?.includes("text/html");
}

function headersOf(site: Site): Record<string, string> {
  return {
    "cache-control": "private, no-store",
    "content-security-policy": CONTENT_SECURITY_POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=()",
    // Ignored without TLS (RFC 6797, section 8.1), and wrong on a machine that also serves other things without.
    ...(site.url.startsWith("https:") && { "strict-transport-security": "max-age=31536000" }),
  };
}

function logAnswer(request: FastifyRequest, reply: FastifyReply): void {
  request.log.debug(
    { method: request.method, route: request.routeOptions.url ?? null, status: reply.statusCode },
    reply.raw.writableFinished ? "answered" : "cut",
  );
}
