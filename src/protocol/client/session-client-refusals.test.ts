import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import {
  chunk,
  connect,
  connected,
  done,
  never,
  serve,
} from "../../../test/support/agent/scripted-server.ts";

describe("SessionClient", () => {
  it("sends a message again that was refused for the moment, and shows nothing of it", async () => {
    const ids: unknown[] = [];
    const url = await serve(async (server) => {
      server.say(connected);
      ids.push((await server.hear())["id"]);
      const details = { retry_after: 0.01 };
      server.say({ type: "error", error: { code: "UNAVAILABLE", message: "busy", details } });
      ids.push((await server.hear())["id"]);
      server.say(done(1, "now"));
    });
    const { client, frames } = await connect(url);
    expect(await client.turn("hi", never)).toMatchObject({ content: "now" });
    expect(ids[1]).toBe(ids[0]);
    expect(frames.map(({ type }) => type)).toEqual(["connected", "done"]);
  });

  it("gives the refusal when the moment is too long", async () => {
    const error = { code: "UNAVAILABLE", message: "busy", details: { retry_after: 60 } };
    const url = await serve(async (server) => {
      server.say(connected);
      await server.hear();
      server.say({ type: "error", error });
    });
    const { client } = await connect(url);
    expect(await client.turn("hi", never)).toEqual({ type: "error", error });
  });

  it.each(["frames of the turn", "a while of silence"])(
    "counts refusals afresh after %s between them",
    async (between) => {
      const refusal = {
        type: "error",
        error: { code: "UNAVAILABLE", message: "busy", details: { retry_after: 0.02 } },
      };
      const isSilent = between === "a while of silence";
      const url = await serve(async (server) => {
        server.say(connected);
        await server.hear();
        server.say(chunk(1, "a"));
        for (const seq of [2, 3, 4, 5]) {
          server.say(refusal);
          const { after } = await server.hear();
          server.say({ ...connected, resumed: true, seq: after });
          if (isSilent) await sleep(50);
          else server.say(chunk(seq, "a"));
        }
        server.say(done(isSilent ? 2 : 6, "well"));
      });
      const policy = { refusedMs: 25, longestMs: isSilent ? 25 : 60_000 };
      const { client, frames } = await connect(url, { policy });
      expect(await client.turn("hi", never)).toMatchObject({ content: "well" });
      expect(frames.map(({ type }) => type)).not.toContain("error");
    },
  );

  it("refuses a message that is larger than a frame may be, without sending it", async () => {
    const url = await serve((server) => server.say(connected));
    const { client } = await connect(url);
    await expect(client.turn("x".repeat(512 * 1024), never)).rejects.toMatchObject({
      code: "too-large",
    });
  });

  it("passes over frames of a later protocol, and refuses what is none", async () => {
    const url = await serve(async (server) => {
      server.say(connected);
      await server.hear();
      server.say({ type: "thought", seq: 1 }, done(2, "yes"));
      await server.hear();
      server.say({ type: "chunk", content: 1 });
    });
    const { client } = await connect(url);
    expect(await client.turn("hi", never)).toMatchObject({ content: "yes" });
    await expect(client.turn("hi", never)).rejects.toMatchObject({ code: "protocol" });
  });
});
