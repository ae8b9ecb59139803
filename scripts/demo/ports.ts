import { createServer } from "node:net";
import { UsageError } from "../usage.ts";

/**
 * Makes sure that a port on this machine is free, before anything is started.
 * @throws {UsageError} which names the option that chooses another
 */
export function requireFreePort(port: number, option: string, what: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", ({ code }: NodeJS.ErrnoException) => {
      const why = code === "EADDRINUSE" ? "is in use" : `cannot be used (${code})`;
      const hint = `End what uses it, or choose another with --${option} N (0 takes any free one).`;
      reject(new UsageError(`Port ${port}, where the ${what} would listen, ${why}. ${hint}`));
    });
    server.listen({ port, host: "127.0.0.1", exclusive: true }, () => server.close(() => resolve()));
  });
}
