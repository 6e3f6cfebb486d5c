/**
 * What users run: one entry, one for each kind of thread and child, and behind every dynamic import chunks of their own, so that a role loads nothing that it does
 * not use. Type stripping at run time would cost each process 40 MB and a third of a second.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { defineConfig, type Plugin } from "rolldown";
import packageJSON from "./package.json" with { type: "json" };
import { bundledPackages, type BundledPackage } from "./supply-chain/bundled-packages.ts";
import { buildConsole } from "./supply-chain/build-console.ts";
import { SOFTWARE_BILL_FILE, softwareBill } from "./supply-chain/software-bill.ts";

/** Where the console is in the bundle. */
const CONSOLE_FOLDER = "console";
const builtConsole = buildConsole();

export default defineConfig({
  input: {
    omnia: "bin/omnia.ts",
    // A thread needs a file to start with.
    "pack-thread": "src/operator/prompt-pack/pack-thread.ts",
    "manifest-thread": "src/local/manifests/manifest-thread.ts",
    "document-thread": "src/tool-servers/openapi/document-thread.ts",
    // So does a process that hosts a module of others.
    "module-host": "src/agent/framework/module-host.ts",
  },
  platform: "node",
  tsconfig: "tsconfig.json",
  plugins: [withoutUndici(), consoleFiles(), thirdParties()],
  output: {
    dir: "dist",
    format: "esm",
    cleanDir: true,
    // Names stay readable in a stack trace; without comments and spaces there is less to keep in memory.
    minify: { mangle: false, compress: true, codegen: { removeWhitespace: true } },
    // The licences stay. The annotations are meant for bundlers, and the last bundler has read them here.
    comments: { legal: true, annotation: false, jsdoc: false },
    entryFileNames: "[name].js",
    chunkFileNames: "[name]-[hash].js",
  },
});

/**
 * Leaves undici out, which would be a fifth of the bundle and 8 MB of each process that speaks with a cluster. client-node uses
 * it only in its own API clients (`makeApiClient`, `applySecurityAuthentication`). The program sends its requests itself, and
 * takes nothing but kubeconfigs and credentials from client-node.
 */
function withoutUndici(): Plugin {
  const names = ["Agent", "ProxyAgent", "fetch"];
  const exports = names.map(
    (name) => `export function ${name}() {
    throw new Error("undici is not bundled: the program sends requests to an API server itself");
  }`,
  );
  return {
    name: "without-undici",
    resolveId: (source, importer) =>
      source === "undici" && importer?.includes("@kubernetes") === true ? "\0undici" : undefined,
    load: (id) => (id === "\0undici" ? exports.join("\n") : undefined),
  };
}

/** Puts the page beside the program, whose gateway serves it. */
function consoleFiles(): Plugin {
  return {
    name: "console-files",
    async generateBundle() {
      const { files } = await builtConsole;
      for (const { name, content } of files) {
        this.emitFile({ type: "asset", fileName: `${CONSOLE_FOLDER}/${name}`, source: content });
      }
    },
  };
}

/** Keeps the licences of what is bundled, as they ask for, and says what is bundled. */
function thirdParties(): Plugin {
  return {
    name: "third-parties",
    async generateBundle(_options, bundle) {
      const ofProgram = Object.values(bundle).flatMap((output) =>
        output.type === "chunk" ? output.moduleIds : [],
      );
      const moduleIds = [...ofProgram, ...(await builtConsole).moduleIds];
      const packages = bundledPackages(moduleIds, import.meta.dirname);
      this.emitFile({
        type: "asset",
        fileName: SOFTWARE_BILL_FILE,
        source: softwareBill(packageJSON, packages),
      });
      const entries = packages.map(licenseOf).toSorted((a, b) => (a.title < b.title ? -1 : 1));
      this.emitFile({
        type: "asset",
        fileName: "THIRD_PARTY_LICENSES",
        source: entries
          .map(({ title, text }) => `${title}\n\n${text}\n`)
          .join(`\n${"-".repeat(80)}\n\n`),
      });
    },
  };
}

function licenseOf({ name, version, license, folder }: BundledPackage): {
  title: string;
  text: string;
} {
  const files = readdirSync(folder).filter((file) => /^(licen[cs]e|copying|notice)/i.test(file));
  const texts = files.toSorted().map((file) => readFileSync(join(folder, file), "utf8").trim());
  return {
    title: `${name} ${version} (${license ?? "see below"})`,
    text: texts.length > 0 ? texts.join("\n\n") : "The package holds no licence text.",
  };
}
