/** What the environment says about a release: under which names it is published, and with which key it is signed. */
import { z } from "zod";
import type { PublishedPackage } from "./pack-for-npm.ts";
import { ReleaseError } from "./release-error.ts";

const MAX_NAME_LENGTH = 214;
const MAX_ADDRESS_LENGTH = 512;
const IMAGE = /^[a-z0-9.-]+(?::\d+)?(?:\/[a-z0-9]+(?:[._-]+[a-z0-9]+)*)+$/;
const PACKAGE = /^(?:@[a-z0-9~-][a-z0-9._~-]*\/)?[a-z0-9~-][a-z0-9._~-]*$/;
const SOURCE_REPOSITORY = /^https:\/\/[\w.-]+(?:\/[\w.-]+)+(?<!\.git)$/;

const settingsSchema = z.object({
  IMAGE: z
    .string()
    .max(MAX_ADDRESS_LENGTH)
    .regex(IMAGE, "give where the image is published, without a tag: ghcr.io/owner/omnia")
    .optional(),
  NPM_PACKAGE: z
    .string()
    .max(MAX_NAME_LENGTH)
    .regex(PACKAGE, "give a name of npm: @owner/omnia")
    .optional(),
  SOURCE_REPOSITORY: z
    .string()
    .max(MAX_ADDRESS_LENGTH)
    .regex(SOURCE_REPOSITORY, "give the address of the sources: https://github.com/owner/omnia")
    .optional(),
  OMNIA_SIGNING_KEY: z.string().optional(),
});

export interface ReleaseSettings {
  /** What the image is called where it is published, without a tag. Undefined: it is not published. */
  readonly repository: string | undefined;
  /** Undefined: it is not published. */
  readonly npm: PublishedPackage | undefined;
  readonly signingKeyFile: string | undefined;
}

/** What is set to nothing is not set. Throws a ReleaseError that names the variable that is wrong. */
export function readReleaseSettings(env: Readonly<NodeJS.ProcessEnv>): ReleaseSettings {
  const given = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== ""));
  const { data, error } = settingsSchema.safeParse(given);
  if (data === undefined) {
    const lines = error.issues.map(({ path, message }) => `${path.join(".")}: ${message}`);
    throw new ReleaseError(lines.join("; "));
  }
  const { IMAGE: repository, NPM_PACKAGE: name, SOURCE_REPOSITORY: sources } = data;
  const npm = name === undefined ? undefined : { name, sources };
  return { repository, npm, signingKeyFile: data.OMNIA_SIGNING_KEY };
}
