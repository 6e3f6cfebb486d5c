import { describe, expect, it } from "vitest";
import {
  allowedNamespacesSchema,
  type AllowedNamespaces,
} from "../api/fields/allowed-namespaces.ts";
import { type CrossNamespaceReferences, isGranted, namespaceFacts } from "./namespace-grant.ts";

const TEAM = namespaceFacts("team-a", { team: "a", "kubernetes.io/metadata.name": "forged" });

function granted(
  allowedNamespaces: AllowedNamespaces | undefined,
  otherwise: CrossNamespaceReferences = "Allowed",
  namespace = "team-b",
): boolean {
  const parsed = allowedNamespaces && allowedNamespacesSchema.parse(allowedNamespaces);
  return isGranted({ namespace, allowedNamespaces: parsed }, TEAM, otherwise);
}

const selecting = (selector: AllowedNamespaces["selector"]): AllowedNamespaces => ({
  from: "Selector",
  selector,
});

describe("isGranted", () => {
  it.each<[string, boolean, AllowedNamespaces | undefined, CrossNamespaceReferences]>([
    ["what says nothing, where references are allowed", true, undefined, "Allowed"],
    ["what says nothing, where they must be granted", false, undefined, "Granted"],
    ["what allows all", true, { from: "All" }, "Granted"],
    ["what allows its own namespace only", false, { from: "Same" }, "Allowed"],
    ["what selects a label", true, selecting({ matchLabels: { team: "a" } }), "Granted"],
    ["what selects another label", false, selecting({ matchLabels: { team: "b" } }), "Allowed"],
    ["what selects every namespace", true, selecting({}), "Granted"],
    [
      "what selects the namespace by its name, which a label cannot forge",
      true,
      selecting({ matchLabels: { "kubernetes.io/metadata.name": "team-a" } }),
      "Granted",
    ],
    [
      "what selects by expressions",
      true,
      selecting({
        matchExpressions: [
          { key: "team", operator: "In", values: ["a", "c"] },
          { key: "team", operator: "NotIn", values: ["b"] },
          { key: "team", operator: "Exists" },
          { key: "constructor", operator: "DoesNotExist" },
        ],
      }),
      "Granted",
    ],
    [
      "what selects by an expression that does not hold",
      false,
      selecting({ matchExpressions: [{ key: "team", operator: "DoesNotExist" }] }),
      "Allowed",
    ],
  ])("judges %s as %s", (_says, expected, allowedNamespaces, otherwise) => {
    expect(granted(allowedNamespaces, otherwise)).toBe(expected);
  });

  it("always holds in the object's own namespace", () => {
    expect(granted({ from: "Same" }, "Granted", "team-a")).toBe(true);
    expect(granted(selecting({ matchLabels: { team: "b" } }), "Granted", "team-a")).toBe(true);
  });
});
