/** The files of an agent's replicas: what the cluster has of them, and what it is to have. */
import type { AgentConfig } from "../../../agent-config/agent-config.ts";
import type { PreviousDecision } from "../../../control/agent-runtime/agent-facts.ts";
import type { SecretFile } from "../../../control/agent-runtime/workload-decision.ts";
import { contentHash } from "../../../promptpack/document/content-hash.ts";
import type { ConfigMapObject, PodObject } from "../../cluster/kubernetes-objects.ts";
import { FILES_REVISION_ANNOTATION } from "../../cluster/labels.ts";
import {
  type AgentFiles,
  CONFIG_KEY,
  configText,
  readConfigMap,
} from "../objects/build-config-map.ts";
import { digestText } from "./digest-text.ts";

/** Of a secret file; `undefined` when there is nothing for it. */
export type FileDigest = (file: SecretFile) => string | undefined;

export type KnownFiles = PreviousDecision & {
  /** 0: it is not known how often they have changed. */
  readonly filesRevision: number;
  readonly filesDigest: string;
  /** Somebody else wrote into the ConfigMap, and it may have come to the pods. */
  readonly isSpoiled: boolean;
};

/**
 * What the ConfigMap of one agent said last. What was just written counts before the cache has it; what was there counts on when
 * the ConfigMap was deleted or spoiled, for else a reference that breaks at that moment would find nothing to keep.
 */
export class LastFiles {
  /** `over`: what was in the cache when it was read or written. */
  #last: { readonly files: KnownFiles; readonly over: string | undefined } | undefined;

  read(live: ConfigMapObject | undefined): KnownFiles {
    const version = live?.metadata.resourceVersion;
    if (this.#last !== undefined && (live === undefined || this.#last.over === version)) {
      return this.#last.files;
    }
    const read = readConfigMap(live);
    if (live !== undefined && isIntact(live, read)) {
      const files = { ...read, isSpoiled: false };
      this.#last = { files, over: version };
      return files;
    }
    const isSpoiled = live !== undefined;
    if (this.#last !== undefined) return { ...this.#last.files, isSpoiled };
    return { filesRevision: read.filesRevision, filesDigest: read.filesDigest, isSpoiled };
  }

  wrote(files: AgentFiles, live: ConfigMapObject | undefined): void {
    const over = live?.metadata.resourceVersion;
    this.#last = { files: { ...files, isSpoiled: false }, over };
  }
}

/** Whether it is as it was written here. */
function isIntact(
  live: ConfigMapObject,
  { config, filesRevision, filesDigest }: ReturnType<typeof readConfigMap>,
): boolean {
  const text = live.data?.[CONFIG_KEY];
  if (config === undefined || text === undefined || filesRevision === 0) return false;
  return filesDigest.split(",").includes(configDigest(text).join("="));
}

/** The revision is another than the last one when the pods may have something else than they are to have. */
export function nextFiles(options: {
  readonly config: AgentConfig;
  readonly secretFiles: readonly SecretFile[];
  readonly fileDigest: FileDigest;
  readonly last: KnownFiles;
  readonly pods: readonly PodObject[];
}): AgentFiles {
  const { config, secretFiles, fileDigest, last, pods } = options;
  const filesDigest = digestText(last.filesDigest, [
    configDigest(configText(config)),
    ...secretFiles.map((file) => [file.path, fileDigest(file)] as const),
  ]);
  const isSame = last.filesDigest === filesDigest && last.filesRevision > 0 && !last.isSpoiled;
  const lastRevision = last.filesRevision === 0 ? revisionOf(pods) : last.filesRevision;
  return { config, secretFiles, filesDigest, filesRevision: lastRevision + (isSame ? 0 : 1) };
}

function configDigest(text: string): readonly [name: string, digest: string] {
  return ["config", contentHash(text)];
}

/** As the pods tell it, where there are any: one that was told of no change has the files of the first. */
function revisionOf(pods: readonly PodObject[]): number {
  const told = pods.map(({ metadata }) =>
    Number(metadata.annotations?.[FILES_REVISION_ANNOTATION] ?? 1),
  );
  return Math.max(0, ...told.filter((revision) => Number.isSafeInteger(revision)));
}
