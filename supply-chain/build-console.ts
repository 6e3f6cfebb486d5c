/** Builds the console: its files, each compressed beside itself, and the modules that they are made of. */
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import { build, type Plugin, type Rolldown } from "vite";
import config from "../src/console/vite.config.ts";

export interface BuiltConsole {
  readonly files: readonly { name: string; content: string | Uint8Array }[];
  /** The absolute paths of its modules. */
  readonly moduleIds: readonly string[];
}

/** Below this size the headers of an answer weigh more than what compression saves. */
const MIN_COMPRESSED_BYTES = 1_024;
const COMPRESSED = /\.(js|css|html|svg)$/;

export async function buildConsole(): Promise<BuiltConsole> {
  // Whatever this process is part of, such as a run of tests: users get what is made for them, and always the same.
  process.env["NODE_ENV"] = "production";
  const moduleIds = new Set<string>();
  const built = await build({
    ...config,
    configFile: false,
    build: { ...config.build, write: false },
    plugins: [...config.plugins, moduleCollector(moduleIds)],
    // Workers are built apart from the rest.
    worker: { format: "es", plugins: () => [moduleCollector(moduleIds)] },
  });
  const output = (Array.isArray(built) ? built : [built as Rolldown.RolldownOutput]).flatMap(
    (one) => one.output,
  );
  const files = output.flatMap((one) => {
    const content = one.type === "chunk" ? one.code : one.source;
    return [{ name: one.fileName, content }, ...compressed(one.fileName, content)];
  });
  return { files, moduleIds: [...moduleIds] };
}

function moduleCollector(moduleIds: Set<string>): Plugin {
  return {
    name: "module-collector",
    generateBundle(_options, bundle) {
      for (const one of Object.values(bundle))
        if (one.type === "chunk") for (const id of one.moduleIds) moduleIds.add(id);
    },
  };
}

function compressed(
  name: string,
  content: string | Uint8Array,
): { name: string; content: Uint8Array }[] {
  const bytes = Buffer.from(content as string);
  if (!COMPRESSED.test(name) || bytes.byteLength < MIN_COMPRESSED_BYTES) return [];
  const quality = { [constants.BROTLI_PARAM_QUALITY]: 9 };
  return [
    { name: `${name}.br`, content: brotliCompressSync(bytes, { params: quality }) },
    { name: `${name}.gz`, content: gzipSync(bytes, { level: 9 }) },
  ];
}
