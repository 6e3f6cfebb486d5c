/** What the administrator of a cluster leaves to those who write resources. */
import { IMAGE_NOT_ALLOWED } from "./replica-words.ts";
import type { CrossNamespaceReferences } from "./namespace-grant.ts";
import type { AllowedAddresses } from "../network/address-verdict.ts";

export interface TrustPolicy {
  readonly crossNamespaceReferences: CrossNamespaceReferences;
  /** Hosts that `provider.baseURL` may name: `host`, `host:port` or `*.domain`. Empty: any host. */
  readonly allowedBaseURLHosts: readonly string[];
  /** What `image` may name: an image, or with a `*` at its end all images that begin so. Empty: any image. */
  readonly allowedImages: readonly string[];
  /** Networks that the `url` of a tool may lead to besides public addresses, such as `10.0.0.0/8`. */
  readonly allowedToolNetworks: AllowedAddresses;
}

/** Of a machine with one user, and of a cluster whose administrator sets nothing. */
export const DEFAULT_TRUST_POLICY: TrustPolicy = {
  crossNamespaceReferences: "Allowed",
  allowedBaseURLHosts: [],
  allowedImages: [],
  allowedToolNetworks: [],
};

/** `undefined`: it may be used. The message has the cure. */
export function baseURLProblem(
  baseURL: string | undefined,
  { allowedBaseURLHosts: allowed }: TrustPolicy,
): string | undefined {
  if (baseURL === undefined || allowed.length === 0) return undefined;
  const url = URL.parse(baseURL);
  if (url !== null && allowed.some((pattern) => isHost(pattern.toLowerCase(), url))) {
    return undefined;
  }
  const host = url?.host ?? baseURL;
  return `provider.baseURL names the host "${host}", which the operator does not allow; use one of ${allowed.join(", ")}, or have the operator's allowedBaseURLHosts list it`;
}

/** `undefined`: all of them may be used. The message has the cure. */
export function imageProblem(
  images: readonly (string | undefined)[],
  { allowedImages: allowed }: TrustPolicy,
): string | undefined {
  if (allowed.length === 0) return undefined;
  const isAllowed = (image: string): boolean =>
    allowed.some((pattern) =>
      pattern.endsWith("*") ? image.startsWith(pattern.slice(0, -1)) : image === pattern,
    );
  const image = images.find((one) => one !== undefined && !isAllowed(one));
  if (image === undefined) return undefined;
  return `${IMAGE_NOT_ALLOWED} "${image}"; use one of ${allowed.join(", ")}, or have the operator's allowedImages list it`;
}

function isHost(pattern: string, { host, hostname }: URL): boolean {
  // A domain with a star stands for the names below it, and not for itself.
  if (pattern.startsWith("*.")) return hostname.endsWith(pattern.slice(1));
  return pattern === host || pattern === hostname;
}
