import { Writable } from "node:stream";
import { describe, expect, it } from "vitest";
import { capturedStreams } from "../../test/support/processes/captured-streams.ts";
import { main } from "./main.ts";

describe("main", () => {
  it("tells an error of the user in words, with its cure and its exit code, without a stack", async () => {
    const { streams, out, err } = capturedStreams();
    expect(await main(["chat", "demo", "--url", "nonsense", "-m", "hi"], streams)).toBe(2);
    expect(out()).toBe("");
    expect(err()).toBe(`omnia: --url: "nonsense" is no WebSocket address.
Give one like ws://localhost:8080 or wss://agents.example.com.
`);
  });

  it("shows where an error comes from when DEBUG is set", async () => {
    const { streams, err } = capturedStreams({ env: { DEBUG: "1" } });
    await main(["chat", "demo", "--url", "nonsense", "-m", "hi"], streams);
    expect(err()).toContain("chat/address.ts");
  });

  it("takes a fault of the program for a failure, and says that it is one", async () => {
    const { streams, err } = capturedStreams();
    const broken = new Writable();
    broken.write = () => {
      throw new TypeError("cannot read this of that");
    };
    expect(await main(["crds"], { ...streams, stdout: broken })).toBe(1);
    expect(err()).toBe(`omnia: cannot read this of that
This should not happen. DEBUG=1 shows where it did.
`);
  });

  it("colours only for a terminal", async () => {
    const { streams, err } = capturedStreams({ terminal: true });
    const { NO_COLOR: before } = process.env;
    delete process.env["NO_COLOR"];
    try {
      await main(["chat", "demo", "--url", "nonsense", "-m", "hi"], streams);
    } finally {
      if (before !== undefined) process.env["NO_COLOR"] = before;
    }
    expect(err()).toContain("\u001b[31momnia:");
  });
});
