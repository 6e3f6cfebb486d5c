/** The files of the console as they were built. Only what was there at the start is ever served, so that no path leads elsewhere. */
import { createHash } from "node:crypto";
import { access, readdir, readFile } from "node:fs/promises";
import { dirname, join } from "node:path";

/** Encodings that were made beside a file, best first. */
export const ENCODINGS = [
  { encoding: "br", suffix: ".br" },
  { encoding: "gzip", suffix: ".gz" },
] as const;
export type Encoding = (typeof ENCODINGS)[number]["encoding"];

const TYPES: Readonly<Record<string, string>> = {
  css: "text/css; charset=utf-8",
  html: "text/html; charset=utf-8",
  js: "text/javascript; charset=utf-8",
  svg: "image/svg+xml",
};
/** Only a built console has it. */
const MARK = "manifest.json";
const PAGE = "index.html";
const ASSETS = "assets";

export interface ConsoleFile {
  /** Of the file as it is without an encoding. It holds no quotes. */
  readonly tag: string;
  readonly type: string;
  readonly encodings: readonly Encoding[];
  /** The name of an asset holds a hash of its content, so that it never changes. */
  readonly isImmutable: boolean;
  read(encoding?: Encoding): Promise<Uint8Array>;
}

export interface ConsoleFiles {
  readonly page: ConsoleFile;
  /** By their names below `/assets/`. */
  readonly assets: ReadonlyMap<string, ConsoleFile>;
}

/** Returns undefined where no console was built, as in a checkout whose program runs from its sources. */
export async function findConsoleFiles(
  start = import.meta.dirname,
): Promise<ConsoleFiles | undefined> {
  for (let folder = start; ; folder = dirname(folder)) {
    for (const candidate of [join(folder, "console"), join(folder, "dist", "console")]) {
      if (await isThere(join(candidate, MARK))) return await readConsoleFiles(candidate);
    }
    if (dirname(folder) === folder) return undefined;
  }
}

/** `folder` is where the console was built. */
export async function readConsoleFiles(folder: string): Promise<ConsoleFiles> {
  const inFolder = new Set(await readdir(folder));
  const inAssets = new Set(await readdir(join(folder, ASSETS)));
  const page = await readFile(join(folder, PAGE));
  const assets = new Map<string, ConsoleFile>();
  for (const name of inAssets) {
    const type = TYPES[name.slice(name.lastIndexOf(".") + 1)];
    if (type === undefined) continue;
    const path = join(folder, ASSETS, name);
    assets.set(name, fileAt(path, { tag: name, type, isImmutable: true, there: inAssets, name }));
  }
  const tag = createHash("sha256").update(page).digest("base64url").slice(0, 22);
  return {
    page: fileAt(join(folder, PAGE), {
      tag,
      type: TYPES["html"] as string,
      isImmutable: false,
      there: inFolder,
      name: PAGE,
    }),
    assets,
  };
}

function fileAt(
  path: string,
  {
    there,
    name,
    ...facts
  }: Pick<ConsoleFile, "tag" | "type" | "isImmutable"> & {
    there: ReadonlySet<string>;
    name: string;
  },
): ConsoleFile {
  const made = ENCODINGS.filter(({ suffix }) => there.has(`${name}${suffix}`));
  return {
    ...facts,
    encodings: made.map(({ encoding }) => encoding),
    read: (encoding) =>
      readFile(`${path}${made.find((one) => one.encoding === encoding)?.suffix ?? ""}`),
  };
}

async function isThere(path: string): Promise<boolean> {
  return await access(path).then(
    () => true,
    () => false,
  );
}
