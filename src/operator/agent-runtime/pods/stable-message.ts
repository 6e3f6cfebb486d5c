/** What a cluster or a container says, fit for a status: short, without secrets, and the same from one look to the next. */
import { withoutSecrets } from "../../../observability/without-secrets.ts";

const MAX_MESSAGE_LENGTH = 500;

const DATE = String.raw`\d{4}[-/]\d{2}[-/]\d{2}`;
const TIME = String.raw`\d{2}:\d{2}:\d{2}(?:[.,]\d+)?(?:Z|[+-]\d{2}:?\d{2})?`;

/** What differs each time that the same thing happens. A changed message would be one more write of a status. */
const CHANGING: readonly [RegExp, string][] = [
  // The head of a line of klog.
  [/^[IWEF]\d{4} [\d:.]+ +\d+ /gm, ""],
  [new RegExp(String.raw`[[(]?\b${DATE}[T ]+${TIME}\b[\])]?:? ?`, "g"), ""],
  [new RegExp(String.raw`[[(]?\b${TIME}\b[\])]?:? ?`, "g"), ""],
  // The kubelet names its pod, which has a name of its own.
  [/ ?\(pod: "[^"]*", container: [^)]*\)/g, ""],
  [/^pods "[^"]*" is forbidden: /g, ""],
  // As a container runtime names a container: pod, namespace, uid and the count of tries are in it.
  [/(?<![a-z0-9])[a-z0-9-]+_[a-z0-9.-]+_[a-z0-9-]+_[\da-f-]{36}_\d+/g, "…"],
  // The name of a pod of a Deployment: the alphabet is the one of such names.
  [
    /(?<![a-z0-9-])[a-z0-9-]+-[bcdfghjklmnpqrstvwxz2456789]{6,10}-[bcdfghjklmnpqrstvwxz2456789]{5}(?![a-z0-9-])/g,
    "…",
  ],
  [/\b[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}\b/gi, "…"],
  // Ids of containers; a digest of an image is the user's own.
  [/(?<!sha256:)\b[\da-f]{32,}\b/gi, "…"],
  [/\b0x[\da-f]{6,}\b/gi, "0x…"],
  // The port from which something was connected to.
  [/(?:\[[\da-f:]+\]|(?<![\d.])[\d.]+):\d+->/gi, ""],
  [/\bback-off (?:\d+[hms])+/gi, "back-off"],
  [/^rpc error: code = \w+ desc = /g, ""],
];

export function stableMessage(message: string): string {
  // What is far behind is not looked at: patterns take their time.
  let text = withoutSecrets(message.slice(0, 8 * MAX_MESSAGE_LENGTH));
  for (const [pattern, replacement] of CHANGING) text = text.replace(pattern, replacement);
  text = text.replaceAll(/\s+/g, " ").trim();
  return text.length <= MAX_MESSAGE_LENGTH ? text : `${text.slice(0, MAX_MESSAGE_LENGTH - 1)}…`;
}
