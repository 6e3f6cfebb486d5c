/** Whether a version may be released, and what its files say then: decided from what was read, without I/O. */

/** As Semantic Versioning has it, without metadata of a build: names of images and files have no `+`. */
const VERSION =
  /^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(?:-((?:0|[1-9]\d*|\d*[a-z-][0-9a-z-]*)(?:\.(?:0|[1-9]\d*|\d*[a-z-][0-9a-z-]*))*))?$/;
const MAX_VERSION_LENGTH = 64;
const UNRELEASED = "## Unreleased\n";

export const CHANGELOG = "CHANGELOG.md";

export interface ReleaseState {
  readonly version: string;
  /** That of package.json. */
  readonly current: string;
  /** What git calls changed or new. */
  readonly changes: readonly string[];
  readonly tags: readonly string[];
  readonly changelog: string;
}

/** Undefined: nothing is in the way. */
export function whyNotReleased(state: ReleaseState): string | undefined {
  const { version, current, changes, tags, changelog } = state;
  if (version.length > MAX_VERSION_LENGTH || !VERSION.test(version)) {
    return `${JSON.stringify(version)} is no version: give one such as 0.2.0 or 1.0.0-rc.1`;
  }
  if (tags.includes(tagOf(version))) return `the tag ${tagOf(version)} is there already`;
  if (compareVersions(version, current) < 0) {
    return `version ${version} comes before ${current}, which package.json has`;
  }
  if (changes.length > 0) {
    return `there are changes that are not committed: ${changes.slice(0, 5).join(", ")}`;
  }
  if (notesOf(changelog) === "") return `${CHANGELOG} has nothing under Unreleased`;
  return undefined;
}

export function tagOf(version: string): string {
  return `v${version}`;
}

/** Files of the project that have the version in them → how many times. */
export const VERSIONED_FILES: Readonly<Record<string, number>> = {
  "package.json": 1,
  "package-lock.json": 2,
  "charts/omnia/Chart.yaml": 2,
  "docs/runtimes.md": 2,
};

/**
 * The versioned files and the changelog with the new version. `date`: such as 2026-01-31. Throws when a file does not have the old version
 * where it is looked for, or has it more or less often than it should.
 */
export function releasedFiles(
  files: ReadonlyMap<string, string>,
  { from, to, date }: { from: string; to: string; date: string },
): Map<string, string> {
  return new Map(
    [...files].map(([path, text]) => [
      path,
      path === CHANGELOG ? withRelease(text, to, date) : withVersion(path, text, { from, to }),
    ]),
  );
}

function withVersion(
  path: string,
  text: string,
  { from, to }: { from: string; to: string },
): string {
  const wanted = VERSIONED_FILES[path] ?? 0;
  // Others in package-lock.json may have the same version; the program comes first there.
  const places = {
    "package.json": `"version": "${from}"`,
    "package-lock.json": `"name": "omnia",\n`,
    "charts/omnia/Chart.yaml": `ersion: ${from}\n`,
    "docs/runtimes.md": `omnia:${from} `,
  }[path];
  const parts = places === undefined ? [] : text.split(places);
  if (places === undefined || parts.length !== wanted + 1) {
    throw new Error(`${path} should have version ${from} in ${wanted} places`);
  }
  if (path !== "package-lock.json") return parts.join(places.replace(from, to));
  const old = new RegExp(`^ *"version": ("${from.replaceAll(".", String.raw`\.`)}"),\n`);
  const [head = "", ...rest] = parts;
  return [
    head,
    ...rest.map((part) => {
      if (!old.test(part)) throw new Error(`${path} should have version ${from} after the name`);
      return part.replace(`"${from}"`, `"${to}"`);
    }),
  ].join(places);
}

function withRelease(changelog: string, version: string, date: string): string {
  if (!changelog.includes(`\n${UNRELEASED}`)) throw new Error(`${CHANGELOG} has no Unreleased`);
  return changelog.replace(`\n${UNRELEASED}`, () => `\n${UNRELEASED}\n## ${version} - ${date}\n`);
}

/** What the changelog says under Unreleased. */
function notesOf(changelog: string): string {
  const [, after = ""] = changelog.split(`\n${UNRELEASED}`);
  const notes = after.split(/^## /m)[0] ?? "";
  return notes.replaceAll(/^#.*$/gm, "").trim();
}

/** Below zero when `a` comes before `b`. */
function compareVersions(a: string, b: string): number {
  const [one, other] = [partsOf(a), partsOf(b)];
  for (let index = 0; index < 3; index++) {
    const difference = Number(one.numbers[index]) - Number(other.numbers[index]);
    if (difference !== 0) return difference;
  }
  // What comes before a release has words behind it; so none at all comes last.
  if (one.words.length === 0 || other.words.length === 0) {
    return other.words.length - one.words.length;
  }
  for (let index = 0; index < Math.min(one.words.length, other.words.length); index++) {
    const difference = compareWords(one.words[index] ?? "", other.words[index] ?? "");
    if (difference !== 0) return difference;
  }
  return one.words.length - other.words.length;
}

/** Numbers come before words, and are compared as numbers. */
function compareWords(a: string, b: string): number {
  const [isNumber, otherIsNumber] = [/^\d+$/.test(a), /^\d+$/.test(b)];
  if (isNumber !== otherIsNumber) return isNumber ? -1 : 1;
  if (isNumber) return Number(a) - Number(b);
  return a === b ? 0 : a < b ? -1 : 1;
}

function partsOf(version: string): { numbers: readonly string[]; words: readonly string[] } {
  const [, major = "0", minor = "0", patch = "0", words] = VERSION.exec(version) ?? [];
  return { numbers: [major, minor, patch], words: words?.split(".") ?? [] };
}
