/** A relay between gateway and archive, which sees what the gateway asks for, and whether it hangs up. */
import { once } from "node:events";
import { createServer, type IncomingHttpHeaders, request } from "node:http";

/** One request that the gateway sent. */
export interface Asked {
  method: string;
  url: string;
  headers: IncomingHttpHeaders;
}

export interface Wiretap {
  /** The archive's DICOMweb root, by way of the relay. */
  url: string;
  asked: Asked[];
  /** Which paths get through: others are answered 403, as by a proxy before the archive. */
  lets: (path: string) => boolean;
  /** Answers that are being sent to the gateway now. */
  open(): number;
  /** Stop listening and hang up: to the gateway, the archive is down. */
  close(): Promise<void>;
}

export async function startWiretap(root: string): Promise<Wiretap> {
  const target = new URL(root);
  const asked: Asked[] = [];
  let open = 0;
  const server = createServer((incoming, outgoing) => {
    const { method = "GET", url = "/", headers } = incoming;
    asked.push({ method, url, headers });
    if (!wiretap.lets(url)) return void outgoing.writeHead(403).end();
    open += 1;
    const relayed = request(
      { host: target.hostname, port: target.port, method, path: url, headers },
      (answer) => {
        outgoing.writeHead(answer.statusCode ?? 500, answer.headers);
        answer.pipe(outgoing);
      },
    );
    relayed.on("error", () => outgoing.destroy());
    incoming.pipe(relayed);
    outgoing.once("close", () => {
      open -= 1;
      relayed.destroy();
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const port = typeof address === "object" && address ? address.port : 0;
  const wiretap: Wiretap = {
    url: `http://127.0.0.1:${port}${target.pathname}`,
    asked,
    lets: () => true,
    open: () => open,
    async close() {
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
  };
  return wiretap;
}
