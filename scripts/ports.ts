import { once } from "node:events";
import { createServer } from "node:net";

/** The port is taken, or may not be opened. */
export class PortBusyError extends Error {
  override readonly name = "PortBusyError";
  readonly code: string;
  readonly port: number;

  constructor(port: number, cause: NodeJS.ErrnoException) {
    super(`Port ${port} cannot be opened (${cause.code}).`, { cause });
    this.code = cause.code ?? "EUNKNOWN";
    this.port = port;
  }
}

/** Make sure that a port can be listened on: some servers die of one that cannot. @throws {PortBusyError} */
export async function tryPort(port: number, host: string): Promise<void> {
  const probe = createServer();
  try {
    await once(probe.listen({ port, host, exclusive: true }), "listening");
  } catch (error) {
    throw new PortBusyError(port, error as NodeJS.ErrnoException);
  }
  await new Promise((closed) => probe.close(closed));
}
