import { textTable } from "../terminal/text-table.ts";
import { plainText, type Line } from "../../observability/terminal/line.ts";
import { textAt, type ResourceView } from "./view.ts";

/** Says of a prompt pack which versions run, and which part of the new sessions each gets. No lines while none runs. */
export function packVersionLines(pack: ResourceView): Line[] {
  const active = textAt(pack, "status", "activeVersion");
  if (active === undefined) return [];
  const canary = textAt(pack, "status", "canaryVersion");
  const weight = canary === undefined ? 0 : Number(textAt(pack, "status", "canaryWeight") ?? 0);
  const semver = (field: string): string => textAt(pack, "status", field) ?? "-";
  const rows = [["active", semver("activeSemver"), active, `${100 - weight} % of new sessions`]];
  if (canary !== undefined) {
    rows.push(["canary", semver("canarySemver"), canary, `${weight} % of new sessions`]);
  }
  const keeps = textAt(pack, "spec", "rollout", "strategy") === "canary";
  const rule = keeps
    ? "A session keeps the version that it began with."
    : "Sessions that have begun get the active version with their next turn.";
  return [
    "",
    "Versions:",
    ...textTable(rows, "  ").map(plainText),
    rule,
    ...trialLines(pack),
    ...abortLines(pack),
  ];
}

/** Where a canary stands that goes on by itself. */
function trialLines(pack: ResourceView): Line[] {
  const message = textAt(pack, "status", "canaryMessage");
  if (message === undefined) return [];
  const since = textAt(pack, "status", "canaryStepSince") ?? "-";
  const counted = (field: string): string => textAt(pack, "status", "canaryCounts", field) ?? "0";
  return [
    "",
    `Canary: ${message}.`,
    `  In this step, since ${since}: ${counted("sessions")} sessions began, ${counted("turns")} turns ended,`,
    `  ${counted("errors")} of them in an error, and validators found fault with ${counted("validationFailures")}.`,
  ].map(plainText);
}

function abortLines(pack: ResourceView): Line[] {
  const version = textAt(pack, "status", "abortedVersion");
  if (version === undefined) return [];
  const semver = textAt(pack, "status", "abortedSemver") ?? "-";
  const reason = textAt(pack, "status", "abortedReason") ?? "-";
  return [
    "",
    `Taken back: ${semver} (${version}). ${reason}.`,
    "It is not tried again until the content of the pack changes; canary.weight 100 promotes it all the same.",
  ].map(plainText);
}
