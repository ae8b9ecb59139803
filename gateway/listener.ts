/** The gateway's port: taken first, since its address is part of what the gateway says of itself. */
import { once } from "node:events";
import { createServer, type RequestListener, type Server } from "node:http";
import { ConfigError } from "./config.ts";

/** Milliseconds that answers under way get to finish when the gateway goes down. */
const GRACE = 3_000;

/** Variables that say where to listen, for what is said when that is not possible. */
type Names = { host: string; port: string };

export type Listener = {
  /** The address listened on, as a URL without a trailing slash. */
  url: string;
  server: Server;
  /** Begin to answer; whoever asked before has waited. */
  serve(handler: RequestListener): void;
  /** Take no more requests, let those under way finish for a moment, and cut what is left then. */
  close(beforeCutting?: () => void): Promise<void>;
};

/**
 * Listen. @param port 0 takes any free one
 * @throws {ConfigError} when the address cannot be listened on
 */
export async function openListener(
  host: string,
  port: number,
  names: Names = { host: "HOST", port: "PORT" },
): Promise<Listener> {
  const { promise: answering, resolve: serve } = Promise.withResolvers<RequestListener>();
  const server = createServer(async (request, response) => (await answering)(request, response));
  try {
    await once(server.listen(port, host), "listening");
  } catch (error) {
    throw new ConfigError(explain(error as NodeJS.ErrnoException, host, port, names));
  }
  const address = server.address();
  const bound = typeof address === "object" && address ? address.port : port;
  return {
    url: `http://${host.includes(":") ? `[${host}]` : host}:${bound}`,
    server,
    serve,
    close: (beforeCutting) => close(server, beforeCutting),
  };
}

async function close(server: Server, beforeCutting?: () => void): Promise<void> {
  if (!server.listening) return;
  const closed = once(server.close(), "close");
  server.closeIdleConnections();
  const patience = setTimeout(() => {
    beforeCutting?.();
    server.closeAllConnections();
  }, GRACE);
  await closed;
  clearTimeout(patience);
}

function explain({ code, message }: NodeJS.ErrnoException, host: string, port: number, names: Names): string {
  if (code === "EADDRINUSE")
    return `${names.port}: ${port} is taken by another program. Stop it, or set ${names.port} to another port.`;
  if (code === "EACCES")
    return `${names.port}: ${port} may not be opened by this user. Set ${names.port} to one above 1023.`;
  if (code === "EADDRNOTAVAIL") return `${names.host}: ${host} is no address of this machine.`;
  return `${names.host}, ${names.port}: ${host}:${port} cannot be listened on (${message}).`;
}
