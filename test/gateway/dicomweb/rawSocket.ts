/** Requests as bytes on a socket: no client is in between that would mend them. */
import { connect } from "node:net";

/** Milliseconds without a byte after which a server is taken to wait for more. */
const SILENCE = 10_000;

/**
 * Send bytes and read all that comes back, until the server closes or waits for more.
 * @param bytes one character for each byte
 */
export async function sendRaw(url: string, bytes: string): Promise<Buffer> {
  const { hostname, port } = new URL(url);
  const socket = connect({ host: hostname, port: Number(port) });
  const chunks: Buffer[] = [];
  socket.on("data", (chunk) => chunks.push(chunk));
  // A server that has refused resets what is still being sent.
  socket.on("error", () => undefined);
  socket.setTimeout(SILENCE, () => socket.destroy());
  socket.write(Buffer.from(bytes, "latin1"));
  await new Promise((resolve) => socket.once("close", resolve));
  return Buffer.concat(chunks);
}

/** The status codes of all answers in what came back. */
export function statusesIn(answers: Buffer): number[] {
  return [...answers.toString("latin1").matchAll(/^HTTP\/1\.[01] (\d{3}) /gm)].map(([, code]) =>
    Number(code),
  );
}
