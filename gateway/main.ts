/** The gateway as a process: configured by environment variables, stopped by SIGINT or SIGTERM. */
import { ConfigError, readConfig } from "./config.ts";
import { startGateway } from "./server.ts";

try {
  const gateway = await startGateway(readConfig(process.env));
  let isClosing = false;
  const stop = async () => {
    if (isClosing) return;
    isClosing = true;
    await gateway.close();
    process.exit(0);
  };
  // Not `once`: a second signal would then end the process in the middle of closing.
  process.on("SIGINT", stop);
  process.on("SIGTERM", stop);
  // Started by another program, the gateway does not outlive it.
  process.once("disconnect", stop);
  const ready = { ready: true, url: gateway.url, adminUrl: gateway.adminUrl, unreadable: gateway.unreadable };
  // Names of files may name patients: they are told to the program that started this one, and not to a log.
  process.stdout.write(`${JSON.stringify({ ...ready, unreadable: ready.unreadable.length })}\n`);
  process.send?.(ready);
} catch (error) {
  process.stderr.write(`${lineOf(error)}\n`, () => process.exit(1));
}

/** What is wrong with the configuration is told in words; anything else is a defect, and needs its trace. */
function lineOf(error: unknown): string {
  if (error instanceof ConfigError) return error.message;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
