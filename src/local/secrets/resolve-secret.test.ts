import { describe, expect, it } from "vitest";
import { secretSchema, type Secret } from "../../api/fields/core-objects.ts";
import { resolveSecret } from "./resolve-secret.ts";

const secret = (stringData: Record<string, string>, data: Record<string, string> = {}): Secret =>
  secretSchema.parse({
    apiVersion: "v1",
    kind: "Secret",
    metadata: { name: "llm" },
    stringData,
    data,
  });
const standIn = { variable: "OPENAI_API_KEY", key: "api-key" };
const environment = { OPENAI_API_KEY: "from-environment" };

describe("resolveSecret", () => {
  it("takes what a file gives, also when the environment has something", () => {
    const { reference, values } = resolveSecret(
      secret({ "api-key": "from-file" }),
      environment,
      standIn,
    );
    expect(reference).toEqual({ found: true, source: "secret", name: "llm", keys: ["api-key"] });
    expect(values.get("api-key")).toBe("from-file");
  });

  it("reads base64, and what is no base64 text", () => {
    const { values } = resolveSecret(
      secret({ b: "plain" }, { a: Buffer.from("decoded").toString("base64") }),
      {},
    );
    expect([...values]).toEqual([
      ["a", "decoded"],
      ["b", "plain"],
    ]);
  });

  it.each([
    "",
    " \n",
    "<your key>",
    "sk-...",
    "changeme",
    "REPLACE_ME",
    "your-api-key",
    "sk-your-key-here",
    "xxxx",
  ])("takes the environment where a file holds only %j", (value) => {
    const { reference, values } = resolveSecret(
      secret({ "api-key": value, other: "kept" }),
      environment,
      standIn,
    );
    expect(reference).toEqual({
      found: true,
      source: "environment",
      name: "OPENAI_API_KEY",
      keys: ["other", "api-key"],
    });
    expect(values.get("api-key")).toBe("from-environment");
    expect(resolveSecret(secret({ "api-key": value }), {}, standIn).reference).toMatchObject({
      found: true,
      keys: [],
    });
  });

  it.each(["sk-proj-abc", "test", "dummy-key", "my-key-1", "yourself"])(
    "takes %s for a value",
    (value) => {
      expect(
        resolveSecret(secret({ "api-key": value }), environment, standIn).values.get("api-key"),
      ).toBe(value);
    },
  );

  it("takes the environment where no file gives the Secret", () => {
    const { reference, values } = resolveSecret(undefined, environment, standIn);
    expect(reference).toEqual({
      found: true,
      source: "environment",
      name: "OPENAI_API_KEY",
      keys: ["api-key"],
    });
    expect(values.get("api-key")).toBe("from-environment");
  });

  it("names the variable that would help where nothing gives it", () => {
    expect(resolveSecret(undefined, { OPENAI_API_KEY: "" }, standIn).reference).toEqual({
      found: false,
      hint: "set OPENAI_API_KEY",
    });
    expect(resolveSecret(undefined, environment).reference).toEqual({ found: false });
  });
});
