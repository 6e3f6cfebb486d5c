import { describe, expect, it } from "vitest";
import { baseURLProblem, DEFAULT_TRUST_POLICY, imageProblem } from "./trust-policy.ts";

describe("baseURLProblem", () => {
  const allowed = ["llm.example", "relay.example:8443", "*.models.svc"];
  const isAllowed = (baseURL: string | undefined, hosts = allowed): boolean =>
    baseURLProblem(baseURL, { ...DEFAULT_TRUST_POLICY, allowedBaseURLHosts: hosts }) === undefined;

  it.each([
    undefined,
    "https://llm.example/v1",
    "https://LLM.example:444",
    "http://relay.example:8443/a",
    "http://vllm.models.svc:8000/v1",
  ])("allows %s", (baseURL) => expect(isAllowed(baseURL)).toBe(true));

  it.each([
    "https://llm.example.attacker.example",
    "https://attacker.example/llm.example",
    "https://relay.example",
    "https://models.svc",
    "https://attackermodels.svc",
    "https://llm.example@attacker.example/",
    "no URL",
  ])("refuses %s", (baseURL) => expect(isAllowed(baseURL)).toBe(false));

  it("allows every host while none is listed", () => {
    expect(isAllowed("https://any.example", [])).toBe(true);
  });
});

describe("imageProblem", () => {
  const policy = { ...DEFAULT_TRUST_POLICY, allowedImages: ["agents:1", "agents.example/own/*"] };

  it.each([undefined, "agents:1", "agents.example/own/support:2"])("allows %s", (image) =>
    expect(imageProblem([image], policy)).toBeUndefined(),
  );

  it.each(["agents:2", "agents.example/other:1", "attacker/agents.example/own/a"])(
    "refuses %s",
    (image) => expect(imageProblem([image], policy)).toContain(image),
  );
});
