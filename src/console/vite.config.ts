/** How the console is built. `vite --config src/console/vite.config.ts` serves it while one works on it, before an `omnia up` that runs. */
import { fileURLToPath } from "node:url";
import react from "@vitejs/plugin-react";
import type { UserConfig } from "vite";

const UP = process.env["OMNIA_UP"] ?? "http://127.0.0.1:8080";

export default {
  root: import.meta.dirname,
  logLevel: "warn",
  plugins: [react()],
  resolve: {
    alias: {
      // Its build for browsers reads the names of characters by `innerHTML`, which the policy of the page forbids.
      "decode-named-character-reference": fileURLToPath(
        import.meta.resolve("decode-named-character-reference"),
      ),
    },
  },
  build: {
    // Browsers that know `light-dark()`, so that it stays as it is.
    target: ["chrome123", "edge123", "firefox120", "safari17.5"],
    // An image in the text of a style sheet would be one more thing that the policy of the page has to allow.
    assetsInlineLimit: 0,
    manifest: "manifest.json",
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
  },
  server: {
    proxy: { "/api": { target: UP }, "/ws": { target: UP, ws: true } },
  },
} satisfies UserConfig;
