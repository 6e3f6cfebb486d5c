/**
 * Keeps the accepted versions of PromptPacks on disk, as a cluster keeps them in ConfigMaps. With them a canary goes on after a
 * restart, and a pack whose source has errors now still has a version to run.
 *
 *     <folder>/<namespace>/<name>/versions.json      the order of the versions, and the last status
 *     <folder>/<namespace>/<name>/<hash>             the content of one; it never changes
 */
import { rm, stat } from "node:fs/promises";
import { join } from "node:path";
import * as z from "zod";
import { promptPackStatusSchema, type PromptPackStatus } from "../../api/prompt-pack.ts";
import { readVersion, type WrittenVersion } from "../../control/prompt-pack/pack-version.ts";
import { readFileIfThere, syncPrivateFolder } from "./private-files.ts";

export interface ArchivedPack {
  /** Newest first. */
  readonly versions: readonly WrittenVersion[];
  readonly status: PromptPackStatus | undefined;
  /** The hash of what the source held then, if that was valid. */
  readonly source?: string | undefined;
}

const INDEX_FILE = "versions.json";
const indexSchema = z.object({
  versions: z.array(z.object({ hash: z.string().regex(/^[0-9a-f]{12}$/), semver: z.string() })),
  status: promptPackStatusSchema.optional().catch(undefined),
  source: z.string().optional().catch(undefined),
});

export class PackArchive {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  static of(stateFolder: string): PackArchive {
    return new PackArchive(join(stateFolder, "promptpacks"));
  }

  /** A version that cannot be read any more counts as one that was never kept. */
  async load(pack: { namespace: string; name: string }): Promise<ArchivedPack> {
    const folder = this.#folderOf(pack);
    const index = parseIndex(await readFileIfThere(join(folder, INDEX_FILE)));
    const versions: WrittenVersion[] = [];
    for (const { hash } of index.versions) {
      const version = readVersion(hash, await readFileIfThere(join(folder, hash)));
      if (version !== undefined) versions.push(version);
    }
    return { versions, status: index.status, source: index.source };
  }

  /** When each version was kept, in milliseconds since 1970. */
  async keptAt(
    pack: { namespace: string; name: string },
    versions: readonly { readonly hash: string }[],
  ): Promise<ReadonlyMap<string, number>> {
    const entries = await Promise.all(
      versions.map(async ({ hash }): Promise<[string, number]> => {
        const facts = await stat(join(this.#folderOf(pack), hash)).catch(() => undefined);
        return [hash, facts?.mtimeMs ?? 0];
      }),
    );
    return new Map(entries);
  }

  async save(
    pack: { namespace: string; name: string },
    { versions, status, source }: ArchivedPack,
  ): Promise<void> {
    const index = {
      versions: versions.map(({ hash, semver }) => ({ hash, semver })),
      status,
      source,
    };
    await syncPrivateFolder(
      this.#folderOf(pack),
      new Map([
        ...versions.map(({ hash, content }): [string, string] => [hash, content]),
        [INDEX_FILE, JSON.stringify(index)],
      ]),
    );
  }

  async remove(pack: { namespace: string; name: string }): Promise<void> {
    await rm(this.#folderOf(pack), { recursive: true, force: true });
  }

  #folderOf({ namespace, name }: { namespace: string; name: string }): string {
    return join(this.#folder, namespace, name);
  }
}

function parseIndex(text: string | undefined): z.output<typeof indexSchema> {
  const empty = { versions: [] };
  if (text === undefined) return empty;
  try {
    return indexSchema.catch(empty).parse(JSON.parse(text));
  } catch {
    return empty;
  }
}
