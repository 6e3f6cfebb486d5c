import { describe, expect, it } from "vitest";
import { readAgentArguments } from "./read-agent-arguments.ts";

describe("readAgentArguments", () => {
  it("reads the arguments of an agent", () => {
    expect(
      readAgentArguments([
        "--config",
        "a.json",
        "--host=127.0.0.1",
        "--port",
        "0",
        "--management-port",
        "9090",
      ]),
    ).toEqual({ config: "a.json", host: "127.0.0.1", port: 0, managementPort: 9090 });
    expect(readAgentArguments([])).toEqual({});
  });

  it.for([["--help"], ["--nonsense"], ["--port", "70000"], ["--port"], ["extra"]])(
    "leaves %j to the command-line library",
    (args) => {
      expect(readAgentArguments(args)).toBeUndefined();
    },
  );
});
