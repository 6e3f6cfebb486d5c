/** Reads prompt packs with their versions: from the state folder of a local instance, or from a cluster. */
import { PROMPT_PACK } from "../../../api/group.ts";
import { CliError } from "../../terminal/cli-error.ts";
import { commandLine } from "../../terminal/program-name.ts";
import type { Streams } from "../../terminal/streams.ts";
import { findResource, readResourceName } from "../../resources/find-resource.ts";
import { readResources } from "../../resources/read-resources.ts";
import type { ResourceFlags, Resources } from "../../resources/resources.ts";
import { readResourceViews, type ResourceView } from "../../resources/view.ts";
import type { KeptPack } from "./kept-pack.ts";

export interface FoundPacks {
  readonly read: Resources;
  readonly packs: readonly KeptPack[];
}

/** `name` is that of a pack, as `explain` takes it. Without it all packs are read, or those of the namespace that the flags name. */
export async function readPacks(
  name: string | undefined,
  flags: ResourceFlags,
  streams: Streams,
): Promise<FoundPacks> {
  const wanted = name === undefined ? undefined : packName(name, flags.namespace);
  const read = await readResources(flags, streams);
  const views = readResourceViews(read.items).filter(({ kind }) => kind === PROMPT_PACK);
  const found =
    wanted === undefined
      ? views.filter(
          ({ metadata }) => flags.namespace === undefined || metadata.namespace === flags.namespace,
        )
      : [findResource(views, wanted)];
  return { read, packs: await readVersions(read, found, flags) };
}

function packName(text: string, namespace: string | undefined) {
  const name = readResourceName(text, namespace);
  if (name.kind !== undefined && name.kind !== PROMPT_PACK) {
    throw new CliError(`${JSON.stringify(text)} names no prompt pack.`, {
      cure: "Give NAME, NAMESPACE/NAME or pp/NAME.",
      exitCode: 2,
    });
  }
  return { ...name, kind: PROMPT_PACK } as const;
}

/** Reads them again, since others may have changed them. */
export async function readVersions(
  read: Resources,
  resources: readonly ResourceView[],
  { context }: Pick<ResourceFlags, "context">,
): Promise<KeptPack[]> {
  if (resources.length === 0) return [];
  if (read.source.kind === "cluster") {
    const { readClusterVersions } = await import("./cluster-versions.ts");
    return await readClusterVersions({ context, local: read.other }, resources);
  }
  const { readLocalVersions } = await import("./local-versions.ts");
  return await readLocalVersions(stateFolderOf(read), resources);
}

export function stateFolderOf({ source, stateFolder }: Resources): string {
  if (stateFolder !== undefined) return stateFolder;
  const where = source.kind === "local" ? ` at ${source.url}` : "";
  throw new CliError(`The instance${where} does not say where its versions are.`, {
    cure: `It is of an older version: start it again with ${commandLine("up")}`,
  });
}
