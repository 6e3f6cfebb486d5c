/** Digests of the values that an agent's replicas take from Secrets and ConfigMaps, as files or as environment variables. */
import type { WorkloadDecision } from "../../../control/agent-runtime/workload-decision.ts";
import { contentHash } from "../../../promptpack/document/content-hash.ts";
import type { ConfigMapReader } from "../../cluster/config-map-reader.ts";
import type { SecretReader } from "../../cluster/secret-reader.ts";
import type { FileDigest } from "./agent-files.ts";
import type { ValueDigest } from "./environment-digest.ts";

type Digests = ReadonlyMap<string, string> | undefined;

export interface DigestReaders {
  readonly secrets: SecretReader;
  readonly configMaps: ConfigMapReader;
}

/** Rejects when something could not be read. */
export async function gatherDigests(
  namespace: string,
  { environment, secretFiles }: Pick<WorkloadDecision, "environment" | "secretFiles">,
  readers: DigestReaders,
  signal: AbortSignal,
): Promise<{ valueDigest: ValueDigest; fileDigest: FileDigest }> {
  const ofSecrets = new Map<string, Digests>();
  const ofConfigMaps = new Map<string, Digests>();
  const references = environment.map(({ valueFrom }) => valueFrom);
  for (const name of new Set([
    ...secretFiles.map(({ secretName }) => secretName),
    ...references.flatMap((from) => from?.secretKeyRef?.name ?? []),
  ])) {
    const facts = await readers.secrets.facts(`${namespace}/${name}`, signal);
    ofSecrets.set(name, facts?.digests);
  }
  for (const name of new Set(references.flatMap((from) => from?.configMapKeyRef?.name ?? []))) {
    ofConfigMaps.set(name, await readers.configMaps.facts(`${namespace}/${name}`, signal));
  }
  return {
    valueDigest: (kind, name, key) =>
      (kind === "Secret" ? ofSecrets : ofConfigMaps).get(name)?.get(key),
    fileDigest: ({ secretName, key }) => {
      const digests = ofSecrets.get(secretName);
      if (digests === undefined) return undefined;
      return key === undefined ? contentHash(Object.fromEntries(digests)) : digests.get(key);
    },
  };
}
