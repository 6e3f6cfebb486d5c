/** `omnia packs rollback`: makes an earlier version of a prompt pack run again. */
import { styled } from "../../../observability/terminal/line.ts";
import { printJSON, printLine } from "../../../observability/terminal/writer.ts";
import { EXIT_CODES, type ExitCode } from "../../terminal/cli-error.ts";
import type { Streams } from "../../terminal/streams.ts";
import { shownSource } from "../../resources/read-resources.ts";
import type { ResourceFlags, Resources } from "../../resources/resources.ts";
import { numberAt, shownName, textAt } from "../../resources/view.ts";
import { shownVersion, type KeptPack } from "../versions/kept-pack.ts";
import { readPacks, stateFolderOf } from "../versions/read-packs.ts";
import type { Rollback } from "./rollback-outcome.ts";

export async function rollbackPack(
  name: string,
  version: string | undefined,
  flags: ResourceFlags,
  streams: Streams,
): Promise<ExitCode> {
  const { read, packs } = await readPacks(name, flags, streams);
  const [pack] = packs as [KeptPack];
  tell(read, await rollBack(pack, version, read, flags), flags, streams);
  return EXIT_CODES.ok;
}

async function rollBack(
  pack: KeptPack,
  version: string | undefined,
  read: Resources,
  { context }: ResourceFlags,
): Promise<Rollback> {
  if (read.source.kind === "cluster") {
    const { rollBackInCluster } = await import("./rollback-in-cluster.ts");
    return await rollBackInCluster({ context, local: read.other }, pack, version);
  }
  const { rollBackLocally } = await import("./rollback-locally.ts");
  return await rollBackLocally(stateFolderOf(read), pack, version);
}

function tell(
  read: Resources,
  { pack, to, from, written, warnings }: Rollback,
  { output }: ResourceFlags,
  { stdout, stderr }: Streams,
): void {
  const { namespace, name } = pack.resource.metadata;
  const { hash, semver } = to;
  const isCanary = textAt(pack.resource, "status", "canaryVersion") === hash;
  if (output === "json") {
    const state = isCanary ? "canary" : "active";
    const changed = written !== undefined;
    const { source } = read;
    printJSON(stdout, {
      source,
      namespace,
      name,
      from,
      to: { hash, semver },
      changed,
      state,
      warnings,
    });
  } else {
    printLine(stdout, styled("dim", shownSource(read)));
    printLine(stdout, "");
    const what = shownName(pack.resource);
    if (written === undefined) {
      printLine(stdout, `${what} is at ${shownVersion(to)} already; nothing was changed.`);
    } else {
      printLine(stdout, styled("green", `${what} is back at ${shownVersion(to)}.`));
      printLine(stdout, written);
      printLine(stdout, isCanary ? canarySentence(pack) : activeSentence(pack));
    }
  }
  for (const warning of warnings) {
    printLine(stderr, [styled("yellow", "warning:"), ` ${warning}`]);
  }
}

function canarySentence({ resource }: KeptPack): string {
  const weight = numberAt(resource, "status", "canaryWeight") ?? 0;
  return `It is the canary, with ${weight} % of new sessions, because rollout.strategy is canary. All new sessions get it with rollout.canary.weight 100.`;
}

function activeSentence({ resource }: KeptPack): string {
  return textAt(resource, "spec", "rollout", "strategy") === "canary"
    ? "New sessions get it; those that have begun keep their version."
    : "Sessions that have begun get it with their next turn.";
}
