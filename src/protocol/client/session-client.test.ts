import { describe, expect, it } from "vitest";
import {
  chunk,
  connect,
  connected,
  done,
  never,
  serve,
  type Frame,
} from "../../../test/support/agent/scripted-server.ts";

describe("SessionClient", () => {
  it("gives the frames of a turn in order, and its answer", async () => {
    const url = await serve(async (server) => {
      server.say(connected);
      await server.hear();
      server.say(chunk(1, "Hel"), chunk(2, "lo"), done(3, "Hello"));
    });
    const { client, frames } = await connect(url);
    expect(await client.turn("hi", never)).toEqual({
      type: "done",
      content: "Hello",
      finishReason: "stop",
    });
    expect(frames.map(({ type }) => type)).toEqual(["connected", "chunk", "chunk", "done"]);
  });

  it("sends a token as a subprotocol, and its own id and the session with a message", async () => {
    let message: Frame = {};
    let protocols: string | undefined;
    const url = await serve(async (server) => {
      server.say(connected);
      ({ protocols } = server);
      message = await server.hear();
      server.say(done(1, ""));
    });
    const { client } = await connect(url, { token: () => "secret" });
    await client.turn("hi", never);
    expect(protocols).toContain("bearer.secret");
    expect(message).toMatchObject({ type: "message", content: "hi", session_id: "s1" });
    expect(message["id"]).toMatch(/./);
  });

  it("follows the server into a new session", async () => {
    const url = await serve(async (server) => {
      server.say({ ...connected, seq: 7 });
      await server.hear();
      server.say({ ...connected, session_id: "s2" }, { ...done(1, "new"), session_id: "s2" });
    });
    const { client } = await connect(url);
    expect(await client.turn("hi", never)).toMatchObject({ content: "new" });
    expect(client.sessionId).toBe("s2");
  });

  it("cancels the running turn once, and nothing between turns", async () => {
    let cancel: Frame = {};
    const url = await serve(async (server) => {
      server.say(connected);
      await server.hear();
      server.say(chunk(1, "so"));
      cancel = await server.hear();
      server.say(done(2, "so", "cancelled"));
    });
    const begun = Promise.withResolvers<void>();
    const { client } = await connect(url, {
      onFrame: (frame) => frame?.type === "chunk" && begun.resolve(),
    });
    expect(client.cancel()).toBe(false);
    const turn = client.turn("hi", never);
    await begun.promise;
    expect(client.cancel()).toBe(true);
    expect(client.cancel()).toBe(false);
    expect(await turn).toMatchObject({ finishReason: "cancelled" });
    expect(cancel).toEqual({ type: "cancel", session_id: "s1" });
  });

  it("waits for the end of a turn that could not be cancelled", async () => {
    const url = await serve(async (server) => {
      server.say(connected);
      await server.hear();
      server.say(chunk(1, "so"));
      await server.hear();
      server.say({ type: "error", error: { code: "UNAVAILABLE", message: "elsewhere" } });
      server.say(done(2, "so be it"));
    });
    const begun = Promise.withResolvers<void>();
    const { client } = await connect(url, {
      onFrame: (frame) => frame?.type === "chunk" && begun.resolve(),
    });
    const turn = client.turn("hi", never);
    await begun.promise;
    client.cancel();
    expect(await turn).toMatchObject({ content: "so be it" });
  });

  it("keeps the turns of others in the session apart", async () => {
    const url = await serve(async (server) => {
      server.say(connected, chunk(1, "for another"), done(2, "for another"));
      await server.hear();
      server.say({ ...done(3, "for us"), turn_id: "t2" });
    });
    const own: string[] = [];
    const othersEnded = Promise.withResolvers<void>();
    const { client } = await connect(url, {
      onFrame: (frame, text, isOwn) => {
        if (text.includes('"done"')) othersEnded.resolve();
        if (isOwn && frame !== undefined && "content" in frame) own.push(frame.content);
      },
    });
    await othersEnded.promise;
    await client.turn("hi", never);
    expect(own).toEqual(["for us"]);
  });

  it("asks for the session to go on with, and says when it is not there", async () => {
    let asked: string | null = "";
    const url = await serve(
      (server) => {
        asked = server.url.searchParams.get("session_id");
        server.say({ ...connected, resumed: true, seq: 4 });
      },
      (server) =>
        server.say({ type: "error", error: { code: "SESSION_NOT_FOUND", message: "no" } }),
      (server) => server.say({ ...connected, session_id: "another" }),
    );
    await connect(url, { sessionId: "s1" });
    expect(asked).toBe("s1");
    await expect(connect(url, { sessionId: "s1" })).rejects.toMatchObject({
      code: "session-not-found",
    });
    await expect(connect(url, { sessionId: "s1" })).rejects.toMatchObject({
      code: "session-not-found",
    });
  });

  it("gives the signal's reason when a turn is aborted", async () => {
    const url = await serve((server) => server.say(connected));
    const { client } = await connect(url);
    const abort = new AbortController();
    const turn = client.turn("hi", abort.signal);
    const reason = new Error("enough");
    abort.abort(reason);
    await expect(turn).rejects.toBe(reason);
  });

  it.each([
    [1008, "refused"],
    [1009, "too-large"],
  ])("does not try again after a close with %i", async (code, expected) => {
    const url = await serve(async (server) => {
      server.say(connected);
      await server.hear();
      server.close(code);
    });
    const { client } = await connect(url);
    await expect(client.turn("hi", never)).rejects.toMatchObject({ code: expected });
  });
});
