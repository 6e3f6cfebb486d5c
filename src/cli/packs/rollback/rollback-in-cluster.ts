/** Goes back to a version of a pack in a cluster: writes its text into the ConfigMap that is the source of the pack. */
import { DEFAULT_PACK_KEY, GROUP, PROMPT_PACK, VERSION } from "../../../api/group.ts";
import { packContent } from "../../../control/prompt-pack/pack-source.ts";
import { readVersion } from "../../../control/prompt-pack/pack-version.ts";
import { isConflict, isInvalid, isNotFound } from "../../../kube/client/api-error.ts";
import type { KubeClient } from "../../../kube/client/client.ts";
import { CONFIG_MAPS, type ConfigMapObject } from "../../../operator/cluster/kubernetes-objects.ts";
import {
  splitPackText,
  withSkillFiles,
  type PackFiles,
} from "../../../promptpack/check/pack-text.ts";
import { parsePromptPack } from "../../../promptpack/check/parse-prompt-pack.ts";
import { CliError } from "../../terminal/cli-error.ts";
import { askCluster, type ClusterChoice } from "../../resources/read-cluster.ts";
import { pluralOf, readResourceViews, textAt } from "../../resources/view.ts";
import { shownVersion, type KeptPack, type KeptVersion } from "../versions/kept-pack.ts";
import { otherWriters } from "./other-writers.ts";
import type { Rollback } from "./rollback-outcome.ts";
import { rollbackTarget } from "./rollback-target.ts";
import { TAKE_UP_MS, untilTakenUp } from "./taken-up.ts";

export async function rollBackInCluster(
  choice: ClusterChoice,
  pack: KeptPack,
  wanted: string | undefined,
): Promise<Rollback> {
  return await askCluster(choice, async (client, signal) => {
    const { namespace } = pack.resource.metadata;
    const { name, key } = sourceOf(pack);
    const what = `ConfigMap "${name}"`;
    const source = await readSource(client, { namespace, name }, signal);
    const data = source.data ?? {};
    const from = hashIn(key, data);
    const to = rollbackTarget(pack, wanted, from);
    const warnings = otherWriters(source.metadata, what);
    if (to.hash === from) return { pack, to, from, written: undefined, warnings: [] };
    if (readVersion(to.hash, to.content) === undefined) {
      throw new CliError(`Version ${shownVersion(to)} cannot be read any more.`, {
        cure: "omnia packs lists the others.",
      });
    }
    const { resourceVersion } = source.metadata;
    const patch = { metadata: { resourceVersion }, data: dataOf(to, key, data) };
    await client
      .mergePatch(CONFIG_MAPS, { namespace, name }, patch, signal)
      .catch((error: unknown) => {
        throw notWritten(error, what, source);
      });
    const after = await untilTakenUp(() => takenUp(client, pack, to, signal));
    if (after === undefined) {
      throw new CliError(
        `${what} holds version ${shownVersion(to)} again, and no operator has taken it up within ${TAKE_UP_MS / 1000} seconds.`,
        { cure: "Does an operator run that looks after this namespace?" },
      );
    }
    const written = `${what}, key "${key}" holds its text.`;
    return { pack: after, to, from, written, warnings };
  });
}

function sourceOf({ resource }: KeptPack): { name: string; key: string } {
  const path = ["spec", "source", "configMapRef"] as const;
  return {
    name: textAt(resource, ...path, "name") ?? "",
    key: textAt(resource, ...path, "key") ?? DEFAULT_PACK_KEY,
  };
}

function hashIn(key: string, data: PackFiles): string | undefined {
  const content = packContent({ spec: { source: { configMapRef: { name: "", key } } } }, data);
  const parsed = content === undefined ? undefined : parsePromptPack(content);
  return parsed?.ok === true ? parsed.hash : undefined;
}

/**
 * What to write, and no more than it takes to have the version again, since another pack may have its text and its skills in the same
 * ConfigMap: the text of the pack, or else the files of its skills too, or else without those (null) that it did not have.
 */
function dataOf(
  { hash, content }: KeptVersion,
  key: string,
  data: PackFiles,
): Record<string, string | null> {
  const { text, files } = splitPackText(content);
  const alone = { [key]: text };
  if (hashIn(key, { ...data, ...alone }) === hash) return alone;
  const withFiles = { ...files, ...alone };
  if (hashIn(key, { ...data, ...withFiles }) === hash) return withFiles;
  const there = Object.keys(splitPackText(withSkillFiles(key, "", data)).files);
  const removed = there.filter((each) => !Object.hasOwn(files, each));
  return { ...Object.fromEntries(removed.map((each) => [each, null])), ...withFiles };
}

async function readSource(
  client: KubeClient,
  at: { namespace: string; name: string },
  signal: AbortSignal,
): Promise<ConfigMapObject> {
  try {
    return await client.get<ConfigMapObject>(CONFIG_MAPS, at, signal);
  } catch (error) {
    if (!isNotFound(error)) throw error;
    throw new CliError(`ConfigMap "${at.name}" of namespace ${at.namespace} is not there.`, {
      cure: "The version that was accepted last runs on. Make the ConfigMap, and try again.",
      cause: error,
    });
  }
}

function notWritten(error: unknown, what: string, { immutable }: ConfigMapObject): unknown {
  if (isConflict(error)) {
    return new CliError(`${what} was changed by somebody else meanwhile; nothing was written.`, {
      cure: "Look at what is there now, and try again.",
      cause: error,
    });
  }
  if (immutable === true && isInvalid(error)) {
    return new CliError(`${what} is immutable; nothing was written.`, {
      cure: "Make another ConfigMap with the text of the version, and let spec.source.configMapRef name it.",
      cause: error,
    });
  }
  return error;
}

async function takenUp(
  client: KubeClient,
  { resource, versions }: KeptPack,
  { hash }: KeptVersion,
  signal: AbortSignal,
): Promise<KeptPack | undefined> {
  const plural = pluralOf(PROMPT_PACK);
  const type = { group: GROUP, version: VERSION, kind: PROMPT_PACK, plural, namespaced: true };
  const { namespace, name } = resource.metadata;
  const read = await client.get(type, { namespace, name }, signal);
  const [now] = readResourceViews([{ ...read, kind: PROMPT_PACK }]);
  if (now === undefined) return undefined;
  const active = textAt(now, "status", "activeVersion");
  const canary = textAt(now, "status", "canaryVersion");
  // The way back from a canary is taken up when the canary is gone.
  const isIt = canary === hash || (active === hash && canary === undefined);
  return isIt ? { resource: now, versions, isRolledBack: false } : undefined;
}
