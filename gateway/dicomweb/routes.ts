/** The gateway's `/dicomweb`: one typed route for each resource of PS3.18 that viewers use, and no other path. */
import type { FastifyInstance } from "fastify";
import type { ArchiveClient } from "../archive/client.ts";
import { Renderer } from "../archive/rendering/renderer.ts";
import { Problem, sendProblem } from "../problem.ts";
import type { AccessGate } from "./access.ts";
import type { Parts } from "./context.ts";
import { Holdings } from "./holdings.ts";
import { renderedRoutes } from "./rendered.ts";
import { retrievalRoutes } from "./retrievals.ts";
import { searchRoutes } from "./searches.ts";

/** What the routes need from the rest of the gateway. */
export interface DicomwebOptions {
  gate: AccessGate;
  archive: ArchiveClient;
  /** The gateway's URL as callers see it, known once it listens; URLs in answers begin with it. */
  publicUrl: () => string;
}

const PREFIX = "/dicomweb";

/** Serve the archive below `/dicomweb`, to those whom the gate lets through. Problems are thrown to the app's handler. */
export function registerDicomwebRoutes(app: FastifyInstance, options: DicomwebOptions): void {
  const { gate, archive, publicUrl } = options;
  app.register(
    async (routes) => {
      const renderer = new Renderer(archive);
      const root = () => `${publicUrl()}${PREFIX}`;
      const parts: Parts = { gate, archive, renderer, holdings: new Holdings(archive), root };
      routes.addHook("onClose", () => renderer.close());
      refuseOtherMethods(routes);
      searchRoutes(routes, parts);
      retrievalRoutes(routes, parts);
      renderedRoutes(routes, parts);
    },
    { prefix: PREFIX },
  );
}

/** These resources are read. Storing goes through the custodian's own way in, not through here. */
function refuseOtherMethods(routes: FastifyInstance): void {
  routes.addHook("onRoute", (route) => {
    if (route.method !== "GET") return;
    routes.route({
      method: ["HEAD", "POST", "PUT", "PATCH", "DELETE"],
      url: route.routePath,
      // Refused before the body is looked at.
      onRequest: async (_request, reply) => {
        await sendProblem(reply.header("allow", "GET"), new Problem("method-not-allowed"));
      },
      handler: () => undefined,
    });
  });
}
