/** The gateway's port: taken first, since its address is part of what the gateway says of itself. */
import { once } from "node:events";
import { createServer, type RequestListener, type Server } from "node:http";
import { ConfigError } from "./config.ts";

/** Milliseconds that answers under way get to finish when the gateway goes down. */
const GRACE = 2_000;

export type Listener = {
  /** The address listened on, as a URL without a trailing slash. */
  url: string;
  server: Server;
  /** Begin to answer; whoever asked before has waited. */
  serve(handler: RequestListener): void;
  /** Take no more requests, and let those under way finish for a moment. */
  close(): Promise<void>;
};

/**
 * Listen. @param port 0 takes any free one
 * @throws {ConfigError} when the address cannot be listened on
 */
export async function openListener(host: string, port: number): Promise<Listener> {
  const { promise: answering, resolve: serve } = Promise.withResolvers<RequestListener>();
  const server = createServer(async (request, response) => (await answering)(request, response));
  try {
    await once(server.listen(port, host), "listening");
  } catch (error) {
    throw new ConfigError(explain(error as NodeJS.ErrnoException, host, port));
  }
  const address = server.address();
  const bound = typeof address === "object" && address ? address.port : port;
  return {
    url: `http://${host.includes(":") ? `[${host}]` : host}:${bound}`,
    server,
    serve,
    close: () => close(server),
  };
}

async function close(server: Server): Promise<void> {
  if (!server.listening) return;
  const closed = once(server.close(), "close");
  server.closeIdleConnections();
  const patience = setTimeout(() => server.closeAllConnections(), GRACE);
  await closed;
  clearTimeout(patience);
}

function explain({ code, message }: NodeJS.ErrnoException, host: string, port: number): string {
  if (code === "EADDRINUSE")
    return `PORT: ${port} is taken by another program. Stop it, or set PORT to another port.`;
  if (code === "EACCES") return `PORT: ${port} may not be opened by this user. Set PORT to one above 1023.`;
  if (code === "EADDRNOTAVAIL") return `HOST: ${host} is no address of this machine.`;
  return `HOST, PORT: ${host}:${port} cannot be listened on (${message}).`;
}
