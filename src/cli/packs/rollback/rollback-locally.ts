/**
 * Goes back to a version of a pack in an `omnia up`. The files of the user stay as they are: comments and anchors in them could not
 * be kept for sure, and an editor may have them open. The version runs until the pack in the files changes.
 */
import { PackArchive } from "../../../local/state/pack-archive.ts";
import { PackRollbacks } from "../../../local/state/pack-rollbacks.ts";
import { CliError } from "../../terminal/cli-error.ts";
import type { ResourceView } from "../../resources/view.ts";
import type { KeptPack } from "../versions/kept-pack.ts";
import { readLocalVersions } from "../versions/local-versions.ts";
import type { Rollback } from "./rollback-outcome.ts";
import { rollbackTarget } from "./rollback-target.ts";
import { TAKE_UP_MS, untilTakenUp } from "./taken-up.ts";

export async function rollBackLocally(
  stateFolder: string,
  before: KeptPack,
  wanted: string | undefined,
): Promise<Rollback> {
  const archive = PackArchive.of(stateFolder);
  const rollbacks = PackRollbacks.of(stateFolder);
  const { metadata } = before.resource;
  const { source, status } = await archive.load(metadata);
  const pack = await packNow(stateFolder, before.resource, status);
  const rollback = await rollbacks.read(metadata);
  const isRolledBack = rollback !== undefined && rollback.source === source;
  const from = isRolledBack ? rollback.version : source;
  const to = rollbackTarget(pack, wanted, from);
  if (source === undefined) {
    if (to.hash === status?.activeVersion) {
      return { pack, to, from, written: undefined, warnings: [brokenFile(pack)] };
    }
    throw new CliError(brokenFile(pack), {
      cure: `Version ${to.semver} can run in its place when the file holds a valid pack.`,
    });
  }
  if (to.hash === from) return { pack, to, from, written: undefined, warnings: [] };
  await rollbacks.write(metadata, { version: to.hash, source });
  const after = await untilTakenUp(async () => {
    const { status: now } = await archive.load(metadata);
    return [now?.activeVersion, now?.canaryVersion].includes(to.hash) ? now : undefined;
  });
  if (after === undefined || (await isChangedMeanwhile())) {
    await rollbacks.remove(metadata);
    throw new CliError(
      `The omnia up has not taken the version up within ${TAKE_UP_MS / 1000} seconds.`,
      { cure: "Has the file of the pack just changed? Then look at `omnia packs` and try again." },
    );
  }
  const written =
    to.hash === source
      ? "It is what the file says."
      : "The file is left as it is. This version runs in its place, also after a restart, until the pack in the file changes.";
  return {
    pack: await packNow(stateFolder, before.resource, after),
    to,
    from,
    written,
    warnings: [],
  };

  async function isChangedMeanwhile(): Promise<boolean> {
    return (await archive.load(metadata)).source !== source;
  }
}

async function packNow(
  stateFolder: string,
  resource: ResourceView,
  status: object | undefined,
): Promise<KeptPack> {
  const now = { ...resource, status: { ...resource.status, ...status } } as ResourceView;
  const [pack] = await readLocalVersions(stateFolder, [now]);
  return pack as KeptPack;
}

function brokenFile({ resource }: KeptPack): string {
  const { namespace, name } = resource.metadata;
  return `The file of the prompt pack ${namespace}/${name} holds no valid pack, so the version that was accepted last runs.`;
}
