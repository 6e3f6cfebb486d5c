/** A prompt pack with its versions, as the commands see it, from a local instance or from a cluster. */
import { textAt, type ResourceView } from "../../resources/view.ts";

export interface KeptVersion {
  /** Content hash, 12 hex digits. */
  readonly hash: string;
  /** The version that the content gives itself. */
  readonly semver: string;
  /** Milliseconds since 1970. */
  readonly keptAt: number;
  /** The text that was accepted, JSON or YAML. */
  readonly content: string;
}

export interface KeptPack {
  readonly resource: ResourceView;
  /** Newest first. */
  readonly versions: readonly KeptVersion[];
  /** Whether the active version runs in place of what the files say. */
  readonly isRolledBack: boolean;
}

/** The words by which a version may be named, and the hash of the version that each names now. */
export interface VersionRoles {
  readonly active: string | undefined;
  readonly canary: string | undefined;
  readonly previous: string | undefined;
}

export type VersionRole = keyof VersionRoles;

/** `previous` is what was active before, else the newest version that does not run: an older Omnia did not write it down. */
export function rolesOf({ resource, versions }: KeptPack): VersionRoles {
  const active = textAt(resource, "status", "activeVersion");
  const canary = textAt(resource, "status", "canaryVersion");
  const before = textAt(resource, "status", "previousVersion");
  const others = versions.filter(({ hash }) => hash !== active && hash !== canary);
  const previous = others.find(({ hash }) => hash === before) ?? others[0];
  return { active, canary, previous: previous?.hash };
}

export function roleOf(pack: KeptPack, hash: string): VersionRole | undefined {
  const roles = rolesOf(pack);
  return (["active", "canary", "previous"] as const).find((role) => roles[role] === hash);
}

/** `1.0.0 (0123456789ab)` */
export function shownVersion({ semver, hash }: Pick<KeptVersion, "semver" | "hash">): string {
  return `${semver} (${hash})`;
}
