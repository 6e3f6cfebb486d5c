/** The files of an agent's replicas: which ones the cluster has, and which ones it should have. */
import type { AgentConfig } from "../../../agent-config/agent-config.ts";
import type { PreviousDecision } from "../../../control/agent-runtime/agent-facts.ts";
import type { SecretFile } from "../../../control/agent-runtime/workload-decision.ts";
import { contentHash } from "../../../promptpack/document/content-hash.ts";
import type { ConfigSigner } from "../../../agent-config/config-signature.ts";
import type { ConfigMapObject, PodObject } from "../../cluster/kubernetes-objects.ts";
import {
  FILES_DIGEST_ANNOTATION,
  FILES_REVISION_ANNOTATION,
  SECRET_FILES_ANNOTATION,
} from "../../cluster/labels.ts";
import {
  type AgentFiles,
  CONFIG_KEY,
  configText,
  readConfigMap,
} from "../objects/build-config-map.ts";
import { digestText } from "./digest-text.ts";

/** The config among the parts of the digest of the files. */
const CONFIG_PART = "config";

/** A digest of the content of a secret file, `undefined` when there is none. */
export type FileDigest = (file: SecretFile) => string | undefined;

export type KnownFiles = PreviousDecision & {
  /** How often the files have changed. 0: that is not known. */
  readonly filesRevision: number;
  readonly filesDigest: string;
  /** Somebody else changed the ConfigMap, and the pods may have read that. */
  readonly isSpoiled: boolean;
};

/**
 * The last good content of the ConfigMap of one agent. What was just written counts before the cache shows it. When the ConfigMap is
 * deleted or spoiled, the content before counts, so that a reference that breaks at that moment still has a last good config.
 */
export class LastFiles {
  /** `over`: the resourceVersion that the cache held when the files were read or written. */
  readonly #signer: ConfigSigner;
  readonly #uid: string;
  #last: { readonly files: KnownFiles; readonly over: string | undefined } | undefined;

  constructor(signer: ConfigSigner, uid: string) {
    this.#signer = signer;
    this.#uid = uid;
  }

  read(live: ConfigMapObject | undefined): KnownFiles {
    const version = live?.metadata.resourceVersion;
    if (this.#last !== undefined && (live === undefined || this.#last.over === version)) {
      return this.#last.files;
    }
    if (this.#last !== undefined && isWrittenAs(live, this.#last.files)) {
      this.#last = { files: this.#last.files, over: version };
      return this.#last.files;
    }
    const read = readConfigMap(live);
    if (live !== undefined && this.#isIntact(live, read)) {
      const files = { ...read, madeOf: undefined, isSpoiled: false };
      this.#last = { files, over: version };
      return files;
    }
    const isSpoiled = live !== undefined;
    if (this.#last !== undefined) return { ...this.#last.files, isSpoiled };
    return { filesRevision: read.filesRevision, filesDigest: read.filesDigest, isSpoiled };
  }

  /** Whether an operator wrote it, for this AgentRuntime. Others may write ConfigMaps too, with any owner reference. */
  #isIntact(
    live: ConfigMapObject,
    { config, secretFiles, filesRevision, filesDigest }: ReturnType<typeof readConfigMap>,
  ): boolean {
    const text = live.data?.[CONFIG_KEY];
    if (config === undefined || text === undefined || filesRevision === 0) return false;
    if (!this.#signer.hasSigned(config, { uid: this.#uid, secretFiles })) return false;
    return filesDigest.split(",").includes(configDigest(text).join("="));
  }

  /** What the last config was made of, if these are the last files. A ConfigMap that was read does not say it. */
  learn({ config, madeOf, filesDigest }: AgentFiles): void {
    const last = this.#last;
    if (last === undefined || last.files.madeOf === madeOf) return;
    if (last.files.config !== config || last.files.filesDigest !== filesDigest) return;
    this.#last = { ...last, files: { ...last.files, madeOf } };
  }

  wrote(files: AgentFiles, live: ConfigMapObject | undefined): void {
    const over = live?.metadata.resourceVersion;
    this.#last = { files: { ...files, isSpoiled: false }, over };
  }
}

/** Whether these files were given to the cluster as they are here. It is cheaper to see than that a stranger wrote nothing into them. */
function isWrittenAs(
  live: ConfigMapObject | undefined,
  { config, secretFiles = [], filesRevision, filesDigest }: KnownFiles,
): boolean {
  const annotations = live?.metadata.annotations;
  return (
    config !== undefined &&
    annotations?.[FILES_REVISION_ANNOTATION] === String(filesRevision) &&
    annotations[FILES_DIGEST_ANNOTATION] === filesDigest &&
    annotations[SECRET_FILES_ANNOTATION] === JSON.stringify(secretFiles) &&
    live?.data?.[CONFIG_KEY] === configText(config)
  );
}

/** The config with its signature, taken from the last files where it is the same, since to sign it again would give the same text. */
export function signedConfig(
  config: AgentConfig,
  facts: { readonly uid: string; readonly secretFiles: readonly SecretFile[] },
  last: KnownFiles,
  signer: ConfigSigner,
): AgentConfig {
  const isSame =
    last.config?.signature?.uid === facts.uid &&
    (config === last.config || unsignedText(config) === unsignedText(last.config)) &&
    JSON.stringify(facts.secretFiles) === JSON.stringify(last.secretFiles);
  return isSame && last.config !== undefined ? last.config : signer.sign(config, facts);
}

function unsignedText(config: AgentConfig): string {
  return JSON.stringify({ ...config, signature: undefined });
}

/** The files get a new revision when the pods may have other files than they should. */
export function nextFiles(options: {
  readonly config: AgentConfig;
  readonly madeOf?: string | undefined;
  readonly secretFiles: readonly SecretFile[];
  readonly fileDigest: FileDigest;
  readonly last: KnownFiles;
  readonly pods: readonly PodObject[];
}): AgentFiles {
  const { config, madeOf, secretFiles, fileDigest, last, pods } = options;
  const isLast = config === last.config && madeOf !== undefined && madeOf === last.madeOf;
  const filesDigest = digestText(last.filesDigest, [
    // The digest of the last config is there already.
    isLast ? [CONFIG_PART, undefined] : configDigest(configText(config)),
    ...secretFiles.map((file) => [file.path, fileDigest(file)] as const),
  ]);
  const isSame = last.filesDigest === filesDigest && last.filesRevision > 0 && !last.isSpoiled;
  const lastRevision = last.filesRevision === 0 ? revisionOf(pods) : last.filesRevision;
  const filesRevision = lastRevision + (isSame ? 0 : 1);
  return { config, madeOf, secretFiles, filesDigest, filesRevision };
}

function configDigest(text: string): readonly [name: string, digest: string] {
  return [CONFIG_PART, contentHash(text)];
}

/** The highest revision that a pod was told of. A pod without the annotation counts as one that has the first files. */
function revisionOf(pods: readonly PodObject[]): number {
  const told = pods.map(({ metadata }) =>
    Number(metadata.annotations?.[FILES_REVISION_ANNOTATION] ?? 1),
  );
  return Math.max(0, ...told.filter((revision) => Number.isSafeInteger(revision)));
}
