/** Looks up in the files, and in the environment of `omnia up`, what an agent refers to. */
import { apiKeyProblem, headerValueProblem } from "../agent-config/credential.ts";
import type { ReferenceReaders, SecretUse } from "../control/agent-runtime/gather-references.ts";
import { redisURLProblem } from "../control/agent-runtime/redis-url-problem.ts";
import type {
  PromptPackReference,
  ToolRegistryReference,
} from "../control/agent-runtime/references.ts";
import type { ObjectName } from "../control/object-name.ts";
import { objectKey, type LocalWorld } from "./world.ts";
import { PROVIDER_VARIABLES, resolveSecret, STORE_VARIABLE } from "./secrets/resolve-secret.ts";

export interface LocalReaders extends ReferenceReaders {
  /**
   * What a Secret holds, together with what the environment gave for the uses that were asked for so far. It is `undefined` when
   * neither gives anything.
   */
  secretValues(name: ObjectName): ReadonlyMap<string, string> | undefined;
}

/** What was decided about the packs and registries before, by namespace and name. */
export interface DecidedReferences {
  readonly promptPacks: ReadonlyMap<string, Extract<PromptPackReference, { found: true }>>;
  readonly toolRegistries: ReadonlyMap<string, Extract<ToolRegistryReference, { found: true }>>;
}

export function localReaders(
  world: LocalWorld,
  { promptPacks, toolRegistries }: DecidedReferences,
): LocalReaders {
  const valuesRead = new Map<string, ReadonlyMap<string, string>>();
  return {
    promptPack: async (name) => promptPacks.get(objectKey(name)) ?? { found: false },
    toolRegistry: async (name) => toolRegistries.get(objectKey(name)) ?? { found: false },
    async secret(name, use) {
      const { environment } = world;
      const { reference, values } = resolveSecret(world.secret(name), environment, standInFor(use));
      if (!reference.found) return reference;
      const key = objectKey(name);
      // One Secret may hold both the provider's key and the store's URL, and a variable may give each of them.
      valuesRead.set(key, new Map([...(valuesRead.get(key) ?? []), ...values]));
      const url = use.type === "session-store" ? values.get(use.key) : undefined;
      return {
        ...reference,
        urlProblem: url === undefined ? undefined : redisURLProblem(url),
        unfitValues: unfitValues(values, use),
      };
    },
    // Files hold no namespaces, so only the label that every namespace has is known.
    namespaceLabels: async () => undefined,
    secretValues(name) {
      const read = valuesRead.get(objectKey(name));
      if (read !== undefined) return read;
      const { reference, values } = resolveSecret(world.secret(name), world.environment);
      return reference.found ? values : undefined;
    },
  };
}

function unfitValues(
  values: ReadonlyMap<string, string>,
  { type }: SecretUse,
): Readonly<Record<string, string>> | undefined {
  const judge =
    type === "provider" ? apiKeyProblem : type === "tool" ? headerValueProblem : undefined;
  if (judge === undefined) return undefined;
  const unfit = [...values].flatMap(([key, value]): [string, string][] => {
    const problem = judge(value);
    return problem === undefined ? [] : [[key, problem]];
  });
  return unfit.length === 0 ? undefined : Object.fromEntries(unfit);
}

/** The variable that may give a value in place of the Secret, and the key that it is the value of. */
function standInFor(use: SecretUse): { variable: string; key: string } | undefined {
  switch (use.type) {
    case "provider":
      return { variable: PROVIDER_VARIABLES[use.provider], key: use.key };
    case "session-store":
      return { variable: STORE_VARIABLE, key: use.key };
    case "api-keys":
    case "tool":
      return undefined;
  }
}
