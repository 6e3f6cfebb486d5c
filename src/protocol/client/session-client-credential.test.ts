import { describe, expect, it } from "vitest";
import {
  chunk,
  connect,
  connected,
  done,
  never,
  seqs,
  serve,
  type Script,
} from "../../../test/support/agent/scripted-server.ts";

describe("a client whose credential is no longer accepted", () => {
  /** Gives a token for each time that it is asked, and notes for what it was asked. */
  function tokens() {
    const asked: boolean[] = [];
    const token = (isRefused: boolean): Promise<string> => {
      asked.push(isRefused);
      return Promise.resolve(`token-${asked.length}`);
    };
    return { asked, token };
  }
  const EXPIRED = "the token has expired";

  it("comes back with another token, and goes on in its turn", async () => {
    const { asked, token } = tokens();
    const protocols: (string | undefined)[] = [];
    const url = await serve(
      async (server) => {
        protocols.push(server.protocols);
        server.say(connected);
        await server.hear();
        server.say(chunk(1, "Hel"));
        server.close(4401, EXPIRED);
      },
      async (server) => {
        protocols.push(server.protocols);
        server.say(connected);
        expect(await server.hear()).toMatchObject({ type: "resume", after: 1 });
        server.say({ ...connected, resumed: true, seq: 1 }, done(2, "Hello"));
      },
    );
    const { client, frames } = await connect(url, { token });
    expect(await client.turn("hi", never)).toMatchObject({ content: "Hello" });
    expect(seqs(frames)).toEqual([1, 2]);
    expect(protocols).toEqual(["omnia, bearer.token-1", "omnia, bearer.token-2"]);
    expect(asked).toEqual([false, true]);
  });

  it("gives up with the server's reason when the other token is not accepted either", async () => {
    const { asked, token } = tokens();
    const refuse: Script = async (server) => {
      server.say(connected);
      await server.hear();
      server.close(4401, EXPIRED);
    };
    const url = await serve(refuse, refuse, refuse);
    const { client } = await connect(url, { token });
    await expect(client.turn("hi", never)).rejects.toMatchObject({
      code: "unauthorized",
      message: `The server does not accept this client: ${EXPIRED} (4401).`,
    });
    expect(asked).toEqual([false, true]);
  });

  it("gives up at once when it has no other token to come with", async () => {
    const url = await serve(async (server) => {
      server.say(connected);
      await server.hear();
      server.close(4401);
    });
    const { client } = await connect(url);
    await expect(client.turn("hi", never)).rejects.toMatchObject({
      code: "unauthorized",
      message: "The server does not accept this client (4401).",
    });
  });

  it("says so when no token can be had, and when none can be sent", async () => {
    const url = await serve((server) => server.say(connected));
    const cause = new Error("the login is away");
    await expect(connect(url, { token: () => Promise.reject(cause) })).rejects.toMatchObject({
      code: "unauthorized",
      cause,
    });
    await expect(connect(url, { token: () => "no token" })).rejects.toMatchObject({
      code: "unreachable",
    });
  });

  it("asks for a token before each connection, whyever the last one ended", async () => {
    const { asked, token } = tokens();
    const url = await serve(
      async (server) => {
        server.say(connected);
        await server.hear();
        server.drop();
      },
      async (server) => {
        server.say(connected);
        await server.hear();
        server.say(done(1, "yes"));
      },
    );
    const { client } = await connect(url, { token });
    expect(await client.turn("hi", never)).toMatchObject({ content: "yes" });
    expect(asked).toEqual([false, false]);
  });
});
