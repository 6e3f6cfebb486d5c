// Copied beside the content that sync-content.ts writes, and read there.
import starlight from "@astrojs/starlight";
import { defineConfig } from "astro/config";
import starlightLinksValidator from "starlight-links-validator";
import sidebar from "./sidebar.json" with { type: "json" };

export default defineConfig({
  base: process.env.DOCS_BASE || "/",
  outDir: "./html",
  // The packages are shared by all builds, and stay as they are.
  cacheDir: "./cache",
  vite: { cacheDir: "./cache/vite" },
  integrations: [
    starlight({
      title: "Omnia",
      description:
        "AI agents that are declared as Kubernetes resources, in a cluster or on one machine",
      sidebar,
      customCss: ["./src/site.css"],
      credits: false,
      plugins: [starlightLinksValidator({ errorOnInvalidHashes: true })],
    }),
  ],
});
