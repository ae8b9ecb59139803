import { buildApp } from "./demo/build.ts";

try {
  const folder = await buildApp("production", () => console.log("Building the app …"));
  console.log(`The app is in ${folder}; the gateway serves it with APP_DIR=${folder}.`);
} catch (error) {
  console.error((error as Error).message);
  process.exitCode = 1;
}
