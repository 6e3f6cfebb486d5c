import { describe, expect, it } from "vitest";
import { TestAgent } from "../support/test-agent.ts";

describe("echo", () => {
  it("answers", async () => {
    const agent = await TestAgent.start();
    const client = await agent.connect();
    const connected = await client.nextOf("connected");
    const done = await client.ask("hello");
    expect(done).toMatchObject({ content: "hello", seq: 1, session_id: connected.session_id, finish_reason: "stop" });
    const again = await client.ask("again");
    expect(again).toMatchObject({ content: "again", seq: 2, session_id: connected.session_id });
  });
});
