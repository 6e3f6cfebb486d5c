/** The oldest Node.js that runs the program: that of `engines` in package.json, of which npm only warns. */
const OLDEST = { major: 24, minor: 12 } as const;

/** What is wrong with a version of Node.js, such as `24.12.0`. Undefined when it is new enough. */
export function nodeVersionProblem(version: string): string | undefined {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  const { major: oldest, minor: oldestMinor } = OLDEST;
  if (major > oldest || (major === oldest && minor >= oldestMinor)) return undefined;
  return `Node.js ${version} is too old: Omnia needs ${oldest}.${oldestMinor} or later. Get it at https://nodejs.org.`;
}
