import { describe, expect, it } from "vitest";
import { chooseSource } from "./choose-source.ts";

const KUBECONFIG = { KUBECONFIG: "/a/kubeconfig" };

describe("chooseSource", () => {
  it.each([
    ["nothing is said", {}, {}, "local-or-cluster"],
    ["KUBECONFIG is empty", {}, { KUBECONFIG: "" }, "local-or-cluster"],
    ["KUBECONFIG names a cluster", {}, KUBECONFIG, "cluster"],
    ["--context names a cluster", { context: "there" }, {}, "cluster"],
    ["--local is given", { local: true }, KUBECONFIG, "local"],
    ["--state names an instance", { state: "/a/folder" }, KUBECONFIG, "local"],
  ])("when %s, asks as it should", (_, flags, env, choice) => {
    expect(chooseSource(flags, env)).toBe(choice);
  });
});
