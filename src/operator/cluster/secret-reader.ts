import { apiKeyProblem, headerValueProblem } from "../../agent-config/credential.ts";
import { isSecretValue } from "../../control/is-secret-value.ts";
import { redisURLProblem } from "../../control/agent-runtime/redis-url-problem.ts";
import { SECRETS, type SecretObject } from "./kubernetes-objects.ts";
import { digestOfValue, type NewestVersion, ObjectReader } from "./object-reader.ts";
import type { OperatorCaches } from "./caches.ts";
import type { OperatorContext } from "./operator-context.ts";

/** What the operator may know of a Secret: never a value. */
export interface SecretFacts {
  /** The keys that have a value which is not empty. */
  readonly keys: readonly string[];
  /** Key of the Secret → a digest of the value. */
  readonly digests: ReadonlyMap<string, string>;
  /** Key of the Secret → why its value is no URL of a session store. */
  readonly urlProblems: ReadonlyMap<string, string>;
  /** Key of the Secret → why its value can be no API key. */
  readonly apiKeyProblems: ReadonlyMap<string, string>;
  /** Key of the Secret → why no HTTP header can have its value. */
  readonly headerProblems: ReadonlyMap<string, string>;
}

export type SecretReader = Pick<ObjectReader<SecretObject, SecretFacts>, "facts">;

export function createSecretReader({
  client,
  caches,
  newest,
}: Pick<OperatorContext, "client"> & {
  caches: Pick<OperatorCaches, "secrets">;
  /** Needed when no watch fills the cache. */
  newest?: NewestVersion | undefined;
}): SecretReader {
  return new ObjectReader<SecretObject, SecretFacts>({
    client,
    type: SECRETS,
    cache: caches.secrets,
    newest,
    toFacts: secretFacts,
  });
}

export function secretFacts({ metadata, data }: SecretObject): SecretFacts {
  const digests = new Map<string, string>();
  const urlProblems = new Map<string, string>();
  const apiKeyProblems = new Map<string, string>();
  const headerProblems = new Map<string, string>();
  for (const [key, encoded] of Object.entries(data ?? {})) {
    const value = Buffer.from(encoded, "base64").toString("utf8");
    if (!isSecretValue(value)) continue;
    digests.set(key, digestOfValue(metadata.uid ?? "", value));
    for (const [problems, judge] of [
      [urlProblems, redisURLProblem],
      [apiKeyProblems, apiKeyProblem],
      [headerProblems, headerValueProblem],
    ] as const) {
      const problem = judge(value);
      if (problem !== undefined) problems.set(key, problem);
    }
  }
  return { keys: [...digests.keys()], digests, urlProblems, apiKeyProblems, headerProblems };
}
