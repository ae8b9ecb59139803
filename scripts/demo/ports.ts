import { PortBusyError, tryPort } from "../ports.ts";
import { UsageError } from "../usage.ts";

/**
 * Makes sure that a port on this machine is free, before anything is started.
 * @throws {UsageError} which names the option that chooses another
 */
export async function requireFreePort(port: number, option: string, what: string): Promise<void> {
  try {
    await tryPort(port, "127.0.0.1");
  } catch (error) {
    if (!(error instanceof PortBusyError)) throw error;
    const why = error.code === "EADDRINUSE" ? "is in use" : `cannot be used (${error.code})`;
    const hint = `End what uses it, or choose another with --${option} N (0 takes any free one).`;
    throw new UsageError(`Port ${port}, where the ${what} would listen, ${why}. ${hint}`);
  }
}
