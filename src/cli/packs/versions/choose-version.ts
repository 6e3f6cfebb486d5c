/** Finds the version of a pack that somebody means by its hash, its own version, or what it is. */
import { CliError } from "../../terminal/cli-error.ts";
import { rolesOf, shownVersion, type KeptPack, type KeptVersion } from "./kept-pack.ts";

/** Fewer digits of a hash are too easily a word or a number that was meant otherwise. */
const MIN_HASH_DIGITS = 4;
const ROLES = ["active", "canary", "previous"] as const;

/** The versions that a text may mean: none, one, or several that give themselves the same version. */
export function versionsNamed(pack: KeptPack, text: string): KeptVersion[] {
  const { versions } = pack;
  const wanted = text.toLowerCase();
  const role = ROLES.find((one) => one === wanted);
  if (role !== undefined) {
    const hash = rolesOf(pack)[role];
    return versions.filter((version) => version.hash === hash);
  }
  const bySemver = versions.filter(({ semver }) => withoutV(semver) === withoutV(text));
  if (bySemver.length > 0) return bySemver;
  const isHash = /^[0-9a-f]+$/.test(wanted) && wanted.length >= MIN_HASH_DIGITS;
  return isHash ? versions.filter(({ hash }) => hash.startsWith(wanted)) : [];
}

/** Throws a CliError when there is none, or more than one. */
export function chooseVersion(pack: KeptPack, text: string): KeptVersion {
  const found = versionsNamed(pack, text);
  const [first, ...more] = found;
  const { namespace, name } = pack.resource.metadata;
  if (first === undefined) {
    const what = ROLES.some((role) => role === text.toLowerCase())
      ? `no ${text.toLowerCase()} version`
      : `no version ${JSON.stringify(text)}`;
    throw new CliError(`The prompt pack ${namespace}/${name} has ${what}.`, {
      cure: listOf(pack.versions),
    });
  }
  if (more.length > 0) {
    throw new CliError(`${JSON.stringify(text)} may be ${found.map(shownVersion).join(" or ")}.`, {
      cure: "Give more of the hash.",
    });
  }
  return first;
}

function listOf(versions: readonly KeptVersion[]): string {
  if (versions.length === 0) return "No version of it was accepted yet.";
  return `There are: ${versions.map(shownVersion).join(", ")}. A hash may be cut to ${MIN_HASH_DIGITS} digits.`;
}

function withoutV(semver: string): string {
  return semver.replace(/^v/i, "");
}
