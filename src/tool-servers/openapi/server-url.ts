/** Decides where the operations of a document are: at the server that it names, or that its entry in the registry names. */
import { addressPolicy, type AllowedAddresses } from "../../network/address-verdict.ts";
import { isRefusedHost } from "../../network/guarded-lookup.ts";
import {
  isObject,
  type JSONObject,
  listOf,
  ownValue,
  shown,
  UnsupportedError,
} from "./openapi-document.ts";

export interface ServerRule {
  /** The address of the document. */
  readonly url: string;
  /** A URL or a path that stands in place of what the document says. */
  readonly server?: string | undefined;
  readonly allowedAddresses: AllowedAddresses;
  /** Whether calls carry a credential, which goes to no origin that only a document names. */
  readonly hasCredential: boolean;
}

/** Where the operation is, without a slash at the end. `levels` are what may have `servers`, the nearest first. Throws an UnsupportedError. */
export function serverURL(levels: readonly JSONObject[], rule: ServerRule): string {
  const documentURL = new URL(rule.url);
  if (rule.server !== undefined) {
    const own = URL.parse(rule.server, documentURL);
    if (own === null) throw new UnsupportedError("openapi.server is no URL; correct it");
    return baseOf(own);
  }
  const named = levels.map(({ servers }) => listOf(servers)).find(({ length }) => length > 0) ?? [];
  const found = (named.length === 0 ? [{ url: "/" }] : named)
    .map((server) => targetOf(server, documentURL))
    .filter((target) => target !== undefined);
  const target = found.find(({ origin }) => origin === documentURL.origin) ?? found[0];
  if (target === undefined) {
    throw new UnsupportedError("its document names no server of HTTP; set openapi.server");
  }
  if (target.origin !== documentURL.origin) judgeOther(target, rule);
  return baseOf(target);
}

function judgeOther(target: URL, { allowedAddresses, hasCredential }: ServerRule): void {
  if (isRefusedHost(target.hostname, addressPolicy(allowedAddresses))) {
    throw new UnsupportedError(
      `its document leads to ${shown(target.origin)}, which tools may not have as an address; set openapi.server`,
    );
  }
  if (hasCredential) {
    throw new UnsupportedError(
      `its document leads to ${shown(target.origin)}, and only the registry decides who is sent a credential; set openapi.server to that URL if it is right`,
    );
  }
}

function targetOf(server: unknown, documentURL: URL): URL | undefined {
  if (!isObject(server) || typeof server["url"] !== "string") return undefined;
  const variables = isObject(server["variables"]) ? server["variables"] : {};
  const text = server["url"].replaceAll(/\{([^{}]*)\}/g, (whole, name: string) => {
    const variable = ownValue(variables, name);
    const preset = isObject(variable) ? variable["default"] : undefined;
    return typeof preset === "string" || typeof preset === "number" ? String(preset) : whole;
  });
  if (/[{}]/.test(text)) return undefined;
  const target = URL.parse(text === "" ? "/" : text, documentURL);
  if (target === null || !/^https?:$/.test(target.protocol)) return undefined;
  return target.username === "" && target.password === "" ? target : undefined;
}

function baseOf({ origin, pathname }: URL): string {
  let end = pathname.length;
  while (pathname[end - 1] === "/") end -= 1;
  return origin + pathname.slice(0, end);
}
