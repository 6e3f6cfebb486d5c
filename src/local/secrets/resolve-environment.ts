/** Resolves the `env` of an agent to the variables of its processes. */
import type { EnvVar } from "../../api/fields/pod-fields.ts";

export interface EnvironmentSources {
  readonly name: string;
  readonly namespace: string;
  /** `undefined`: there is no such ConfigMap. */
  configMap(name: string): Readonly<Record<string, string>> | undefined;
  /** `undefined`: there is no such Secret. */
  secret(name: string): ReadonlyMap<string, string> | undefined;
}

export interface ResolvedEnvironment {
  readonly variables: Readonly<Record<string, string>>;
  /** The values that come from Secrets. */
  readonly secrets: readonly string[];
  /** Each problem names the variable, what is missing, and the cure. */
  readonly problems: readonly string[];
}

/** The folder where the operator mounts what lies beside the config on this machine. */
const MOUNT_FOLDER = "/etc/omnia/";

export function resolveEnvironment(
  variables: readonly EnvVar[],
  sources: EnvironmentSources,
  folder: string,
): ResolvedEnvironment {
  const resolved: Record<string, string> = {};
  const secrets: string[] = [];
  const problems: string[] = [];
  for (const { name, value, valueFrom } of variables) {
    if (valueFrom === undefined) {
      const text = expand(value ?? "", resolved);
      resolved[name] =
        name.startsWith("OMNIA_") && text.startsWith(MOUNT_FOLDER)
          ? `${folder}/${text.slice(MOUNT_FOLDER.length)}`
          : text;
      continue;
    }
    const found = resolveSource(valueFrom, sources);
    // Starting the process would fail, with an error that quotes the value.
    if ("value" in found && found.value.includes("\0")) {
      problems.push(`env ${name}: its source holds a null character, which no variable can`);
    } else if ("value" in found) {
      resolved[name] = found.value;
      if (valueFrom.secretKeyRef !== undefined) secrets.push(found.value);
    } else if (!found.optional) problems.push(`env ${name}: ${found.problem}`);
  }
  return { variables: resolved, secrets, problems };
}

type Found = { value: string } | { problem: string; optional: boolean };

function resolveSource(
  source: NonNullable<EnvVar["valueFrom"]>,
  sources: EnvironmentSources,
): Found {
  const { configMapKeyRef, secretKeyRef, fieldRef } = source;
  if (configMapKeyRef !== undefined) {
    const { name, key, optional = false } = configMapKeyRef;
    const data = sources.configMap(name);
    return pick(
      "ConfigMap",
      name,
      key,
      optional,
      data === undefined ? undefined : new Map(Object.entries(data)),
    );
  }
  if (secretKeyRef !== undefined) {
    const { name, key, optional = false } = secretKeyRef;
    return pick("Secret", name, key, optional, sources.secret(name));
  }
  switch (fieldRef?.fieldPath) {
    case "metadata.name":
      return { value: sources.name };
    case "metadata.namespace":
      return { value: sources.namespace };
    case undefined:
      return {
        problem: "resourceFieldRef has no value outside a cluster; give a value",
        optional: false,
      };
    default:
      return {
        problem: `the field ${fieldRef?.fieldPath} has no value outside a cluster; metadata.name and metadata.namespace have`,
        optional: false,
      };
  }

  function pick(
    kind: string,
    name: string,
    key: string,
    optional: boolean,
    data: ReadonlyMap<string, string> | undefined,
  ): Found {
    const value = data?.get(key);
    if (value !== undefined) return { value };
    const problem =
      data === undefined
        ? `there is no ${kind} ${name} in namespace ${sources.namespace}; add it to the files`
        : `${kind} ${name} has no key ${key}; add the key, or set optional: true`;
    return { problem, optional };
  }
}

/** Replaces `$(NAME)` by the variable of that name before it, and `$$` by one dollar. Anything else stays, as in Kubernetes. */
function expand(text: string, variables: Readonly<Record<string, string>>): string {
  return text.replace(
    /\$(\$|\(([-._a-zA-Z][-._a-zA-Z0-9]*)\))/g,
    (whole, escape: string, name: string | undefined) => {
      if (escape === "$") return "$";
      return name !== undefined && Object.hasOwn(variables, name) ? (variables[name] ?? "") : whole;
    },
  );
}
