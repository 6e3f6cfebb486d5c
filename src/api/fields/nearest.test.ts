import { describe, expect, it } from "vitest";
import { nearest } from "./nearest.ts";

describe("nearest", () => {
  const fields = ["replicas", "provider", "facade", "session", "apiKeySecretRef", "env", "image"];

  it.each([
    ["replica", "replicas"],
    ["facde", "facade"],
    ["fcaade", "facade"],
    ["Session", "session"],
    ["apiKeySecret", "apiKeySecretRef"],
    ["enw", "env"],
  ])("finds what %s was meant to be", (word, meant) => {
    expect(nearest(word, fields)).toBe(meant);
  });

  it.each(["x", "volumes", "port", "", "a".repeat(10_000)])("guesses nothing for %s", (word) => {
    expect(nearest(word, fields)).toBeUndefined();
  });

  it.each([
    ["compositions", ["compilation"]],
    ["user_template", ["system_template"]],
    ["imagePullPolicy", ["image", "imagePullSecrets"]],
    ["Registry", ["ToolRegistry"]],
  ])("does not take %s for another word that is like it", (word, others) => {
    expect(nearest(word, others)).toBeUndefined();
  });

  it.each([
    ["toolRegistries", "toolRegistryRef"],
    ["affinities", "affinity"],
    ["timeoutSeconds", "timeout"],
    ["ToolRegisteries", "ToolRegistry"],
  ])("finds what %s was meant to be, although its end is another one", (word, meant) => {
    expect(nearest(word, [meant, "x"])).toBe(meant);
  });

  it("prefers the one with fewest mistakes", () => {
    expect(nearest("maxReplica", ["minReplicas", "maxReplicas"])).toBe("maxReplicas");
  });
});
