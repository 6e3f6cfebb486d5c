import { describe, expect, it } from "vitest";
import { aTool } from "../../../test/support/builders/agent-config.ts";
import type { OpenApiOperation } from "../../agent-config/openapi-operation.ts";
import { callerHeaders, type ToolCaller } from "../server/tool-caller.ts";
import { buildOperationRequest } from "./build-request.ts";

const ALICE: ToolCaller = { subject: "alice", sessionId: "session-a" };
const CREDENTIAL = "key-of-the-shop";
const NOW = Date.UTC(2026, 0, 1);
const ORIGIN = "https://shop.example";

/** An operation whose document asks the model for the very headers. */
const OPERATION: OpenApiOperation = {
  name: "addOrder",
  description: "",
  inputSchema: { type: "object" },
  method: "POST",
  url: `${ORIGIN}/orders`,
  parameters: ["X-Omnia-Subject", "X-Omnia-Signature"].map((name) => ({
    name,
    in: "header",
    style: "simple",
    explode: false,
  })),
  body: { type: "json", mediaType: "application/json", required: true },
};

async function requestWith(forward: ["subject"] | undefined) {
  const tool = aTool({ type: "openapi", url: `${ORIGIN}/openapi.json`, authFile: "key", forward });
  const toolArguments = { "X-Omnia-Subject": "bob", "X-Omnia-Signature": "v1=0", item: "Å" };
  const request = await buildOperationRequest(OPERATION, tool, toolArguments, {
    readSecret: () => Promise.resolve(CREDENTIAL),
    caller: ALICE,
    now: NOW,
  });
  if ("error" in request) throw new Error(request.error);
  const told = Object.entries(request.headers).filter(([name]) => name.startsWith("x-omnia-"));
  return { ...request, told: Object.fromEntries(told) };
}

describe("an operation of a document", () => {
  it("is told of the caller, signed over the body, whatever the model writes", async () => {
    const { body, told, secrets } = await requestWith(["subject"]);
    const made = callerHeaders(ALICE, { credential: CREDENTIAL, body, now: NOW });
    if ("error" in made) throw new Error(made.error);
    expect(body).toContain("Å");
    expect(told).toEqual(made.headers);
    expect(secrets).toEqual(expect.arrayContaining([CREDENTIAL, ...made.secrets]));
  });

  it("is told nothing when its registry does not say so, nor by the model", async () => {
    expect((await requestWith(undefined)).told).toEqual({});
  });
});
