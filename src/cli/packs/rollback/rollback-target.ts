import { CliError } from "../../terminal/cli-error.ts";
import { chooseVersion } from "../versions/choose-version.ts";
import { rolesOf, type KeptPack, type KeptVersion } from "../versions/kept-pack.ts";

/**
 * The version to go back to. Without `wanted` it undoes the last edit: the active version, where the source holds another one (a
 * canary, or what is not valid), or else the version that was active before. `inSource` is the hash of what the source holds, and
 * undefined when that is not valid.
 */
export function rollbackTarget(
  pack: KeptPack,
  wanted: string | undefined,
  inSource: string | undefined,
): KeptVersion {
  if (wanted !== undefined) return chooseVersion(pack, wanted);
  const { active, previous } = rolesOf(pack);
  if (active !== undefined && inSource !== active) return chooseVersion(pack, "active");
  if (previous === undefined) {
    const { namespace, name } = pack.resource.metadata;
    throw new CliError(`The prompt pack ${namespace}/${name} has no version to go back to.`, {
      cure: "omnia packs lists the versions that are kept.",
    });
  }
  return chooseVersion(pack, "previous");
}
