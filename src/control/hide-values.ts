/**
 * Takes the values out of a resource that may hold a credential, and leaves their names. What others than its author may read, such
 * as the HTTP API of one machine, gives a resource in this form. The values still stand in the author's own files.
 */
import { AGENT_RUNTIME, TOOL_REGISTRY } from "../api/group.ts";

export const HIDDEN = "(hidden)";

/** What may follow a URL in a sentence. */
const PUNCTUATION = ".,;:!?\"'`)]";

type Hide = (text: string) => string;

interface Place {
  /** The names of the fields that lead to the text. `*` stands for each item of a list, and for each entry of a map. */
  readonly path: readonly string[];
  readonly hide: Hide;
}

const place = (path: string, hide: Hide): Place => ({ path: path.split("."), hide });
const hideAll: Hide = () => HIDDEN;

const EVERYWHERE: readonly Place[] = [
  // `kubectl apply` keeps a copy of the whole manifest in an annotation.
  place("metadata.annotations.*", hideAll),
  place("status.conditions.*.message", hideInText),
];

const PLACES: Readonly<Record<string, readonly Place[]>> = {
  [AGENT_RUNTIME]: [
    place("spec.env.*.value", hideAll),
    place("spec.podTemplate.sidecars.*.env.*.value", hideAll),
    place("spec.podTemplate.sidecars.*.command.*", hideAll),
    place("spec.podTemplate.sidecars.*.args.*", hideAll),
    place("spec.podTemplate.sidecars.*.startupProbe.exec.command.*", hideAll),
    place("spec.podTemplate.sidecars.*.readinessProbe.exec.command.*", hideAll),
    place("spec.podTemplate.sidecars.*.livenessProbe.exec.command.*", hideAll),
    place("spec.podTemplate.annotations.*", hideAll),
    place("spec.podTemplate.volumes.*.csi.volumeAttributes.*", hideAll),
    place("spec.promptPackRef.variables.*", hideAll),
    // A scaler of KEDA takes addresses with a user and a password there.
    place("spec.autoscaling.keda.triggers.*.metadata.*", hideAll),
    place("spec.provider.baseURL", hideInURL),
    place("spec.facade.auth.jwt.issuer", hideInURL),
    place("spec.facade.auth.jwt.jwksUri", hideInURL),
  ],
  [TOOL_REGISTRY]: [
    place("spec.tools.*.headers.*", hideAll),
    place("spec.tools.*.mcp.env.*", hideAll),
    place("spec.tools.*.mcp.command.*", hideAll),
    place("spec.tools.*.url", hideInURL),
    place("status.tools.*.endpoint", hideInURL),
    place("status.tools.*.reason", hideInText),
    place("status.tools.*.message", hideInText),
  ],
};

/** Returns a copy in which the texts that may hold a credential are replaced. */
export function hideValues<Resource extends { readonly kind: string }>(
  resource: Resource,
): Resource {
  return [...EVERYWHERE, ...(PLACES[resource.kind] ?? [])].reduce<unknown>(
    (value, { path, hide }) => replaceAt(value, path, hide),
    resource,
  ) as Resource;
}

/**
 * Hides the user and the password of a URL, the values of its query and its fragment. A parameter without a value is hidden as a whole.
 * A URL without a scheme is taken too, as a tool may have one.
 */
export function hideInURL(url: string): string {
  const [, beforeQuery = "", query, fragment] = /^([^?#]*)(?:\?([^#]*))?(?:#(.*))?$/s.exec(
    url,
  ) as unknown as string[];
  const address = beforeQuery.replace(/^((?:[^/]*:)?\/\/)?[^/]*@/, `$1${HIDDEN}@`);
  const parameters = query?.split("&").map((parameter) => {
    const end = parameter.indexOf("=");
    return end === -1 ? HIDDEN : `${parameter.slice(0, end)}=${HIDDEN}`;
  });
  return [
    address,
    ...(query === undefined || query === "" ? [] : [`?${(parameters ?? []).join("&")}`]),
    ...(fragment === undefined || fragment === "" ? [] : [`#${HIDDEN}`]),
  ].join("");
}

/** Hides in the URLs of a sentence what `hideInURL` hides in one. A URL ends where the next space or line begins. */
export function hideInText(text: string): string {
  return text.replaceAll(/\S+/g, (word) => {
    if (!word.includes("://") && !word.includes("?")) return word;
    let end = word.length;
    while (PUNCTUATION.includes(word.charAt(end - 1)) && end > 0) end -= 1;
    return `${hideInURL(word.slice(0, end))}${word.slice(end)}`;
  });
}

function replaceAt(value: unknown, [field, ...rest]: readonly string[], hide: Hide): unknown {
  if (field === undefined) return typeof value === "string" ? hide(value) : value;
  if (typeof value !== "object" || value === null) return value;
  if (field === "*") {
    if (Array.isArray(value)) return value.map((item) => replaceAt(item, rest, hide));
    return Object.fromEntries(
      Object.entries(value).map(([name, item]) => [name, replaceAt(item, rest, hide)]),
    );
  }
  if (!Object.hasOwn(value, field)) return value;
  const { [field]: before } = value as Record<string, unknown>;
  return { ...value, [field]: replaceAt(before, rest, hide) };
}
