/** Finds the resource that a user means by KIND/NAME. */
import { AGENT_RUNTIME, OMNIA_KINDS, type OmniaKind } from "../../api/group.ts";
import { nearest } from "../../api/fields/nearest.ts";
import { CliError } from "../terminal/cli-error.ts";
import { kindNamed, KIND_WORDS, pluralOf, shownName, type ResourceView } from "./view.ts";

/** More names than this would not help. */
const MAX_LISTED = 10;

export interface ResourceName {
  readonly name: string;
  /** Without a kind an agent is meant, or else whatever has the name. */
  readonly kind?: OmniaKind | undefined;
  readonly namespace?: string | undefined;
  /** What stands before the name and is no kind. It is a namespace, or a kind that is misspelt. */
  readonly prefix?: string | undefined;
}

/** Reads KIND/NAME and NAME, and also NAMESPACE/NAME and KIND/NAMESPACE/NAME, since lists show names with their namespace. */
export function readResourceName(text: string, namespace: string | undefined): ResourceName {
  const parts = text.split("/");
  const kind = parts.length > 1 ? kindNamed(parts[0] ?? "") : undefined;
  const rest = kind === undefined ? parts : parts.slice(1);
  const name = rest.at(-1) ?? "";
  const within = rest.length === 2 ? rest[0] : undefined;
  if (rest.length > 2 || rest.includes("") || (within && namespace && within !== namespace)) {
    throw new CliError(`${JSON.stringify(text)} names nothing that can be explained.`, {
      cure: "Give KIND/NAME, like agentruntime/support, ar/support, pp/prompts or tr/tools.",
      exitCode: 2,
    });
  }
  const prefix = kind === undefined ? within : undefined;
  return { name, kind, namespace: within ?? namespace, prefix };
}

/** Returns the one resource of that name. Throws a CliError when there is none, or more than one. */
export function findResource(
  resources: readonly ResourceView[],
  wanted: ResourceName,
): ResourceView {
  const named = resources.filter(
    ({ kind, metadata }) =>
      metadata.name === wanted.name &&
      (wanted.namespace === undefined || metadata.namespace === wanted.namespace) &&
      (wanted.kind === undefined || kind === wanted.kind),
  );
  const agents = named.filter(({ kind }) => kind === AGENT_RUNTIME);
  const found = agents.length > 0 ? agents : named;
  const [first, ...more] = found;
  if (first === undefined) throw notFound(resources, wanted);
  if (more.length === 0) return first;
  const list = found.map((one) => `${one.kind.toLowerCase()}/${shownName(one)}`).join(", ");
  throw new CliError(`More than one is called ${wanted.name}: ${list}.`, {
    cure: "Say which one: KIND/NAME with -n NAMESPACE.",
  });
}

function notFound(resources: readonly ResourceView[], wanted: ResourceName): CliError {
  const { kind, namespace, name, prefix } = wanted;
  const isNamespace = resources.some(({ metadata }) => metadata.namespace === prefix);
  if (prefix !== undefined && !isNamespace) {
    const meant = nearest(prefix, KIND_WORDS);
    const hint = meant === undefined ? "" : `Did you mean ${meant}/${name}? `;
    return new CliError(
      `${JSON.stringify(prefix)} is neither a kind nor a namespace with something in it.`,
      {
        cure: `${hint}Kinds are ${KIND_WORDS.join(", ")}.`,
      },
    );
  }
  const ofKind = resources.filter((one) => kind === undefined || one.kind === kind);
  const where = namespace === undefined ? "" : ` in namespace ${namespace}`;
  const what = kind ?? "agent, prompt pack or tool registry";
  const near = nearest(
    name,
    ofKind.map(({ metadata }) => metadata.name),
  );
  return new CliError(`There is no ${what} called ${name}${where}.`, {
    cure:
      near === undefined ? listOf(ofKind, kind) : `Did you mean ${near}? ${listOf(ofKind, kind)}`,
  });
}

function listOf(resources: readonly ResourceView[], kind: OmniaKind | undefined): string {
  if (resources.length === 0) {
    const what = kind === undefined ? OMNIA_KINDS.map(pluralOf).join(", ") : pluralOf(kind);
    return `There are no ${what} at all.`;
  }
  const names = resources
    .slice(0, MAX_LISTED)
    .map((one) => (kind === undefined ? `${one.kind.toLowerCase()}/` : "") + shownName(one));
  const more = resources.length - names.length;
  return `There are: ${names.join(", ")}${more > 0 ? ` and ${more} more` : ""}.`;
}
