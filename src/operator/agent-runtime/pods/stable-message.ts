/** Makes the message of a cluster or a container fit for a status: short, without secrets, and the same each time. */
import {
  withoutSecrets,
  withoutSecretsOfCut,
} from "../../../observability/secrets/without-secrets.ts";

const MAX_MESSAGE_LENGTH = 500;
const MAX_READ_LENGTH = 8 * MAX_MESSAGE_LENGTH;

const DATE = String.raw`\d{4}[-/]\d{2}[-/]\d{2}`;
const TIME = String.raw`\d{2}:\d{2}:\d{2}(?:[.,]\d+)?(?:Z|[+-]\d{2}:?\d{2})?`;

/** Parts that differ each time that the same thing happens. A changed message would lead to another write of the status. */
const CHANGING: readonly [RegExp, string][] = [
  // The head of a line of klog.
  [/^[IWEF]\d{4} [\d:.]+ +\d+ /gm, ""],
  [new RegExp(String.raw`[[(]?\b${DATE}[T ]+${TIME}\b[\])]?:? ?`, "g"), ""],
  [new RegExp(String.raw`[[(]?\b${TIME}\b[\])]?:? ?`, "g"), ""],
  // The kubelet names its pod, which has a name of its own.
  [/ ?\(pod: "[^"]*", container: [^)]*\)/g, ""],
  [/^pods "[^"]*" is forbidden: /g, ""],
  // The name that a container runtime gives to a container. It has the pod, the namespace, the uid and the number of tries in it.
  [/(?<![a-z0-9])[a-z0-9-]+_[a-z0-9.-]+_[a-z0-9-]+_[\da-f-]{36}_\d+/g, "…"],
  // The name of a pod of a Deployment, in the alphabet of such names.
  [
    /(?<![a-z0-9-])[a-z0-9-]+-[bcdfghjklmnpqrstvwxz2456789]{6,10}-[bcdfghjklmnpqrstvwxz2456789]{5}(?![a-z0-9-])/g,
    "…",
  ],
  [/\b[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}\b/gi, "…"],
  // The ids of containers. The digest of an image stays, because the user wrote it.
  [/(?<!sha256:)\b[\da-f]{32,}\b/gi, "…"],
  [/\b0x[\da-f]{6,}\b/gi, "0x…"],
  // The address from which a connection was made.
  [/(?:\[[\da-f:]+\]|(?<![\d.])[\d.]+):\d+->/gi, ""],
  [/\bback-off (?:\d+[hms])+/gi, "back-off"],
  [/^rpc error: code = \w+ desc = /g, ""],
];

export function stableMessage(message: string): string {
  // The end of a long text is left out, because the patterns would take long.
  const isCut = message.length > MAX_READ_LENGTH;
  let text = isCut
    ? withoutSecretsOfCut(message.slice(0, MAX_READ_LENGTH))
    : withoutSecrets(message);
  for (const [pattern, replacement] of CHANGING) text = text.replace(pattern, replacement);
  text = text.replaceAll(/\s+/g, " ").trim();
  return text.length <= MAX_MESSAGE_LENGTH ? text : `${text.slice(0, MAX_MESSAGE_LENGTH - 1)}…`;
}
