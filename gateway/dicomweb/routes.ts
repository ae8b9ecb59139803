/** The gateway's `/dicomweb`: one typed route for each resource of PS3.18 that viewers use, and no other path. */
import type { FastifyInstance, FastifyRequest } from "fastify";
import type { ArchiveClient } from "../archive/client.ts";
import type { FrameCache } from "../archive/frameCache.ts";
import type { MetadataCache } from "../archive/metadataCache.ts";
import { Renderer } from "../archive/rendering/renderer.ts";
import { Problem, sendProblem } from "../problem.ts";
import type { AccessGate } from "./access.ts";
import type { Parts } from "./context.ts";
import { Holdings } from "./holdings.ts";
import { pictureRoutes } from "./pictures.ts";
import { retrievalRoutes } from "./retrievals.ts";
import { searchRoutes } from "./searches.ts";

/** What the routes need from the rest of the gateway. */
export interface DicomwebOptions {
  gate: AccessGate;
  archive: ArchiveClient;
  frameCache: FrameCache;
  metadataCache: MetadataCache;
  /** The gateway's URL as the caller of a request sees it; URLs in the answer begin with it. */
  urlFor: (request: FastifyRequest) => string;
}

const PREFIX = "/dicomweb";

/** Serve the archive below `/dicomweb`, to those whom the gate lets through. Problems are thrown to the app's handler. */
export function registerDicomwebRoutes(app: FastifyInstance, options: DicomwebOptions): void {
  const { gate, archive, frameCache, metadataCache, urlFor } = options;
  app.register(
    async (routes) => {
      const renderer = new Renderer(archive);
      const root = (request: FastifyRequest) => `${urlFor(request)}${PREFIX}`;
      const holdings = new Holdings(archive);
      const parts: Parts = { gate, archive, renderer, holdings, frameCache, metadataCache, root };
      routes.addHook("onClose", () => renderer.close());
      // What is asked for in part is given whole (RFC 9110 section 14.2): no archive's answer is known in length beforehand.
      routes.addHook("onRequest", async (_request, reply) => void reply.header("accept-ranges", "none"));
      answerOtherMethods(routes);
      searchRoutes(routes, parts);
      retrievalRoutes(routes, parts);
      pictureRoutes(routes, parts);
    },
    { prefix: PREFIX },
  );
}

/**
 * These resources are read: by GET, and by HEAD, which is decided and recorded alike. Storing goes through the custodian's
 * own way in, not through here.
 */
function answerOtherMethods(routes: FastifyInstance): void {
  routes.addHook("onRoute", (route) => {
    if (route.method !== "GET") return;
    // Fastify's own way would read a body to its end to drop it, or give its length as 0 (`sendBody` does neither).
    routes.route({ method: "HEAD", url: route.routePath, handler: route.handler });
    routes.route({
      method: ["POST", "PUT", "PATCH", "DELETE"],
      url: route.routePath,
      // Refused before the body is looked at.
      onRequest: async (_request, reply) => {
        await sendProblem(reply.header("allow", "GET, HEAD"), new Problem("method-not-allowed"));
      },
      handler: () => undefined,
    });
  });
}
