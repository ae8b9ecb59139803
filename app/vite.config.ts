import { fileURLToPath } from "node:url";
import react from "@vitejs/plugin-react";
import { defineConfig, type Rolldown } from "vite";

/** Where the gateway listens while the app is developed; the built app is served by the gateway itself. */
const gateway = process.env.GATEWAY_URL ?? "http://127.0.0.1:8080";
const gatewayPaths = ["/dicomweb", "/auth", "/exams", "/grants", "/people", "/me", "/.well-known"];

/** The image loader's codecs are CommonJS, so the dev server has to bundle each of them beforehand. */
const codecs = [
  "@cornerstonejs/codec-charls/decodewasmjs",
  "@cornerstonejs/codec-libjpeg-turbo-8bit/decodewasmjs",
  "@cornerstonejs/codec-libjxl/decodewasmjs",
  "@cornerstonejs/codec-openjpeg/decodewasmjs",
  "@cornerstonejs/codec-openjph/wasmjs",
];

/** The codecs ask for Node's modules only where they run in Node; that Vite leaves them out is no news. */
const rolldownOptions = {
  checks: { pluginTimings: false },
  onLog(level: Rolldown.LogLevel, log: Rolldown.RolldownLog, report: Rolldown.LogOrStringHandler) {
    if (!log.message.includes("has been externalized for browser compatibility")) report(level, log);
  },
};

/**
 * `vite build app` makes the hospital's build in `dist/app`; `--mode demo` makes the local demo's, which
 * alone holds the developer wallet, in `dist/demo`.
 */
export default defineConfig(({ mode }) => ({
  root: fileURLToPath(new URL(".", import.meta.url)),
  plugins: [react()],
  resolve: {
    // vtk.js, under Cornerstone3D, asks for Node's `events` (through xmlbuilder2).
    alias: { events: fileURLToPath(new URL("../node_modules/events/events.js", import.meta.url)) },
  },
  worker: { format: "es", rolldownOptions },
  optimizeDeps: {
    // Its decoding worker is found by `import.meta.url`, which bundling it beforehand would break.
    exclude: ["@cornerstonejs/dicom-image-loader"],
    include: ["dicom-parser", ...codecs.map((codec) => `@cornerstonejs/dicom-image-loader > ${codec}`)],
  },
  build: {
    outDir: fileURLToPath(new URL(mode === "demo" ? "../dist/demo" : "../dist/app", import.meta.url)),
    emptyOutDir: true,
    rolldownOptions,
    target: "es2023",
    // With older targets `light-dark()` is rewritten so that it follows the page's scheme alone, and the
    // reading room, which is always dark, would not be.
    cssTarget: ["chrome123", "edge123", "firefox120", "safari17.5"],
    // The reading room alone is larger than the default limit, and it is a lazy route.
    chunkSizeWarningLimit: 4096,
  },
  server: {
    host: "127.0.0.1",
    port: 5173,
    proxy: Object.fromEntries(gatewayPaths.map((path) => [path, { target: gateway }])),
  },
}));
