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
  return ["", "Versions:", ...textTable(rows, "  ").map(plainText), rule];
}
