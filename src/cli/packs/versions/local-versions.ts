import { PackArchive } from "../../../local/state/pack-archive.ts";
import { PackRollbacks } from "../../../local/state/pack-rollbacks.ts";
import type { ResourceView } from "../../resources/view.ts";
import type { KeptPack } from "./kept-pack.ts";

/** Reads the versions that the `omnia up` of the state folder keeps. */
export async function readLocalVersions(
  stateFolder: string,
  resources: readonly ResourceView[],
): Promise<KeptPack[]> {
  const archive = PackArchive.of(stateFolder);
  const rollbacks = PackRollbacks.of(stateFolder);
  return await Promise.all(
    resources.map(async (resource) => {
      const { versions, source } = await archive.load(resource.metadata);
      const keptAt = await archive.keptAt(resource.metadata, versions);
      const rollback = await rollbacks.read(resource.metadata);
      return {
        resource,
        isRolledBack: rollback !== undefined && rollback.source === source,
        versions: versions.map(({ hash, semver, content }) => ({
          hash,
          semver,
          content,
          keptAt: keptAt.get(hash) ?? 0,
        })),
      };
    }),
  );
}
