import { describe, expect, it } from "vitest";
import { readRuntimeSettings } from "./runtime-settings.ts";

describe("readRuntimeSettings", () => {
  it("names no runtime where no variable does, or an empty one", () => {
    expect(readRuntimeSettings({ OMNIA_RUNTIME_PATH: "/a" })).toEqual({ status: "none" });
    expect(readRuntimeSettings({ OMNIA_RUNTIME_URL: "" })).toEqual({ status: "none" });
  });

  it("reads each way to name a runtime", () => {
    const settings = { protocol: "ag-ui", path: undefined, healthPath: undefined };
    expect(readRuntimeSettings({ OMNIA_RUNTIME_COMMAND: "python app.py" })).toEqual({
      status: "read",
      settings: { ...settings, origin: { type: "command", words: ["python", "app.py"] } },
    });
    expect(readRuntimeSettings({ OMNIA_RUNTIME: " ./agent.mjs " })).toEqual({
      status: "read",
      settings: { ...settings, origin: { type: "module", module: "./agent.mjs" } },
    });
    expect(readRuntimeSettings({ OMNIA_RUNTIME_URL: "https://runtime.team/agent?x=1" })).toEqual({
      status: "read",
      settings: {
        ...settings,
        origin: { type: "url", url: new URL("https://runtime.team/agent?x=1") },
      },
    });
  });

  it("reads how the runtime is spoken with", () => {
    expect(
      readRuntimeSettings({
        OMNIA_RUNTIME_COMMAND: "app",
        OMNIA_RUNTIME_PROTOCOL: "omnia.runtime.v1",
        OMNIA_RUNTIME_PATH: "/agents/a?x=1",
        OMNIA_RUNTIME_HEALTH_PATH: "/health",
      }),
    ).toMatchObject({
      settings: { protocol: "omnia.runtime.v1", path: "/agents/a?x=1", healthPath: "/health" },
    });
  });

  it.for<[Record<string, string>, string]>([
    [{ OMNIA_RUNTIME_COMMAND: "a", OMNIA_RUNTIME: "b" }, "OMNIA_RUNTIME"],
    [{ OMNIA_RUNTIME_COMMAND: "a 'b" }, "OMNIA_RUNTIME_COMMAND"],
    [{ OMNIA_RUNTIME: "  " }, "OMNIA_RUNTIME"],
    [{ OMNIA_RUNTIME_URL: "file:///etc/passwd" }, "OMNIA_RUNTIME_URL"],
    [{ OMNIA_RUNTIME_URL: "runtime:8000" }, "OMNIA_RUNTIME_URL"],
    [{ OMNIA_RUNTIME_URL: "http://a:b@runtime" }, "OMNIA_RUNTIME_URL"],
    [{ OMNIA_RUNTIME_COMMAND: "a", OMNIA_RUNTIME_PROTOCOL: "grpc" }, "OMNIA_RUNTIME_PROTOCOL"],
    [{ OMNIA_RUNTIME_COMMAND: "a", OMNIA_RUNTIME_PATH: "agent" }, "OMNIA_RUNTIME_PATH"],
    [{ OMNIA_RUNTIME_COMMAND: "a", OMNIA_RUNTIME_PATH: "//host/a" }, "OMNIA_RUNTIME_PATH"],
    [{ OMNIA_RUNTIME_COMMAND: "a", OMNIA_RUNTIME_PATH: "/\\host/a" }, "OMNIA_RUNTIME_PATH"],
    [
      { OMNIA_RUNTIME_COMMAND: "a", OMNIA_RUNTIME_HEALTH_PATH: "http://host/a" },
      "OMNIA_RUNTIME_HEALTH_PATH",
    ],
  ])("refuses %j, and says which variable is wrong", ([env, variable]) => {
    expect(readRuntimeSettings(env)).toMatchObject({ status: "unusable", variable });
  });
});
