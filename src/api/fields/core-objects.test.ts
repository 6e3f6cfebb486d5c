import { describe, expect, it } from "vitest";
import { type Secret, secretKeys, secretValue } from "./core-objects.ts";
import { parseManifests } from "../manifest/manifest.ts";

function problemsOf(manifest: object): string[] {
  return parseManifests(JSON.stringify(manifest), "f.json").problems.map(({ message }) => message);
}

function coreObject(kind: string, fields: object): object {
  return { apiVersion: "v1", kind, metadata: { name: "a" }, ...fields };
}

describe("ConfigMap", () => {
  it("takes text, bytes and an empty value", () => {
    const manifest = coreObject("ConfigMap", {
      data: { "pack.json": "{}", "..2": "x", empty: null },
      binaryData: { icon: "aGVsbG8=" },
      immutable: true,
    });
    // A name that begins with two dots could lead out of a folder.
    expect(problemsOf(manifest)).toEqual([
      'data["..2"]: the key must be of letters, digits, "-", "_" and "."',
    ]);
  });

  it("reads an empty value as an empty text", () => {
    const manifest = coreObject("ConfigMap", { data: { empty: null } });
    const [resource] = parseManifests(JSON.stringify(manifest), "f.json").resources;
    expect(resource?.value).toMatchObject({ data: { empty: "" } });
  });

  it("says how to write a number", () => {
    expect(problemsOf(coreObject("ConfigMap", { data: { timeout: 30 } }))).toEqual([
      "data.timeout: must be a string; put it in quotes",
    ]);
  });

  it("refuses a key of both text and bytes", () => {
    expect(problemsOf(coreObject("ConfigMap", { data: { a: "" }, binaryData: { a: "" } }))).toEqual(
      ["binaryData.a: data has the same key; keep one of the two"],
    );
  });

  it("refuses a field that it cannot have", () => {
    expect(problemsOf(coreObject("ConfigMap", { dta: {} }))).toEqual([
      'dta: unknown field; did you mean "data"?',
    ]);
  });
});

describe("Secret", () => {
  it("never shows what it holds", () => {
    const value = "hunter2-not-base64!";
    const problems = problemsOf(
      coreObject("Secret", { data: { password: value }, stringData: { pin: 1234 } }),
    );
    expect(problems).toEqual([
      'data.password: must be base64; in a Secret, plain text belongs under "stringData"',
      "stringData.pin: must be a string; put it in quotes",
    ]);
  });

  it("answers its values as bytes, plain text before base64", () => {
    const secret = {
      data: { a: "aGVs\nbG8=", b: "aGVsbG8=" },
      stringData: { b: "plain", c: "" },
    } as unknown as Secret;
    expect(secretKeys(secret)).toEqual(["a", "b", "c"]);
    expect(secretValue(secret, "a")?.toString()).toBe("hello");
    expect(secretValue(secret, "b")?.toString()).toBe("plain");
    expect(secretValue(secret, "c")?.length).toBe(0);
    expect(secretValue(secret, "d")).toBeUndefined();
    expect(secretValue(secret, "toString")).toBeUndefined();
  });
});

describe("Service", () => {
  it("leaves fields that it does not read to Kubernetes", () => {
    const manifest = coreObject("Service", {
      spec: {
        ports: [{ name: "http", port: 80, targetPort: "web", nodePort: 30080 }],
        selector: { app: "weather" },
        sessionAffinity: "None",
        somethingNew: {},
      },
      status: { loadBalancer: {} },
    });
    const { resources, problems } = parseManifests(JSON.stringify(manifest), "f.json");
    expect(problems).toEqual([]);
    expect(resources[0]?.value).toMatchObject({ spec: { somethingNew: {} } });
  });

  it("refuses a port that there cannot be", () => {
    expect(problemsOf(coreObject("Service", { spec: { ports: [{ port: 65536 }] } }))).toEqual([
      "spec.ports[0].port: must be at most 65535",
    ]);
  });
});
