/**
 * The embedded archive: a small DICOMweb origin server (PS3.18) over folders of DICOM files, for trying ExamKey out.
 *
 * It speaks HTTP to the gateway exactly as a hospital's archive does, on loopback, and answers only to a secret made
 * anew for each process. The folders are only read; what is stored goes to a folder of its own. It never transcodes.
 */
import { randomBytes } from "node:crypto";
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from "fastify";
import { requireBearer } from "../../auth/bearer.ts";
import { Problem, sendProblem, toProblem } from "../../problem.ts";
import { parseMediaType } from "../mediaType.ts";
import { MultipartError, readMultipart } from "../multipart.ts";
import { Catalogue } from "./catalogue.ts";
import { UnreadableFile } from "./dicomFile.ts";
import { OpenFiles } from "./openFiles.ts";
import { Retrieval } from "./retrieval.ts";
import { reasonOf, scan, type Unreadable } from "./scan.ts";
import { searchRoutes } from "./searchRoutes.ts";
import { Store, type Stored, storeResponse } from "./store.ts";

export type { Unreadable };

/** Where the embedded archive reads and writes. */
export interface EmbeddedArchiveOptions {
  /** Folders to read, recursively. Never written to. */
  folders: readonly string[];
  /** The folder that new files are stored in; also read. */
  store: string;
}

/** A running embedded archive. */
export interface EmbeddedArchive {
  /** The DICOMweb root. */
  url: string;
  /** The `Authorization` header that opens it. */
  authorization: string;
  /** Files that are not served, each with why. */
  unreadable: Unreadable[];
  close(): Promise<void>;
}

/** Index the folders, and serve them on a free port of 127.0.0.1. */
export async function startEmbeddedArchive(options: EmbeddedArchiveOptions): Promise<EmbeddedArchive> {
  const catalogue = new Catalogue();
  const store = await Store.open(options.store, catalogue);
  const folders = [...options.folders, options.store];
  const unreadable = await scan(folders, catalogue);
  const token = randomBytes(32).toString("base64url");
  const app = Fastify({
    forceCloseConnections: true,
    bodyLimit: Number.MAX_SAFE_INTEGER,
    // A list of frames is one long parameter.
    routerOptions: { maxParamLength: 16_384 },
  });
  app.addHook("onRequest", async (request) => requireBearer(request, token));
  app.setErrorHandler((error, _request, reply) => sendProblem(reply, asProblem(error)));
  app.setNotFoundHandler((_request, reply) => sendProblem(reply, new Problem("not-found")));
  const url = () => `http://127.0.0.1:${port(app)}/dicom-web`;
  const files = new OpenFiles();
  await app.register(
    async (routes) => {
      searchRoutes(routes, { catalogue, files, url });
      new Retrieval({ catalogue, files, url }).routes(routes);
      storeRoute(routes, store);
    },
    { prefix: "/dicom-web" },
  );
  await app.listen({ host: "127.0.0.1", port: 0 });
  return { url: url(), authorization: `Bearer ${token}`, unreadable, close: () => app.close() };
}

function port(app: FastifyInstance): number {
  const address = app.server.address();
  return typeof address === "object" && address !== null ? address.port : 0;
}

/** A file that cannot be read any more is the archive's own trouble, and says so. */
function asProblem(error: unknown): Problem {
  if (error instanceof Problem) return error;
  const isFile = error instanceof UnreadableFile || (error instanceof Error && "errno" in error);
  if (isFile) return new Problem("archive-unavailable", `A file cannot be served: ${reasonOf(error)}.`);
  return toProblem(error);
}

/** STOW-RS (PS3.18 section 10.5): each part is stored or refused by itself. */
function storeRoute(routes: FastifyInstance, store: Store): void {
  // The body is read as a stream by the handler.
  routes.removeAllContentTypeParsers();
  routes.addContentTypeParser("*", (_request, _body, done) => done(null));
  const handler = async (request: FastifyRequest, reply: FastifyReply) => {
    const type = parseMediaType(request.headers["content-type"] ?? "");
    const boundary = type?.parameters.get("boundary");
    if (type?.name !== "multipart/related" || !boundary) {
      throw new Problem("malformed-request", "A store takes multipart/related.");
    }
    const results: Stored[] = [];
    try {
      for await (const { bytes } of readMultipart(request.raw, boundary))
        results.push(await store.take(bytes));
    } catch (error) {
      if (!(error instanceof MultipartError)) throw error;
      if (results.length === 0)
        throw new Problem("malformed-request", `The body is damaged: ${error.message}.`);
    }
    const { status, body } = storeResponse(results);
    return reply.code(status).type("application/dicom+json").send(JSON.stringify(body));
  };
  routes.post("/studies", handler);
}
