/** Vitest's global setup for what uses the whole app: it is built once, before several workers ask for it at a time. */
import { buildApp } from "../scripts/demo/build.ts";

export default async function buildDemo(): Promise<void> {
  await buildApp("demo");
}
