import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, it, onTestFinished } from "vitest";
import { WebSocketServer } from "ws";
import type { ConnectionEnd } from "../../protocol/client/transport.ts";
import { chatTransport } from "./transport.ts";

async function listen(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  return `ws://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}

function endOf(url: string): Promise<ConnectionEnd> {
  return new Promise((onEnd) => chatTransport().open(url, { onText: () => {}, onEnd }));
}

describe("chatTransport", () => {
  it("sends the token as bearer, and texts both ways", async () => {
    const server = createServer();
    const sockets = new WebSocketServer({ server });
    let authorization: string | undefined;
    sockets.on("connection", (socket, request) => {
      ({ authorization } = request.headers);
      socket.send("hello");
      socket.on("message", (data) => socket.send(`you said ${(data as Buffer).toString()}`));
    });
    const url = await listen(server);
    const texts: string[] = [];
    const ended = Promise.withResolvers<ConnectionEnd>();
    const connection = chatTransport().open(
      url,
      {
        onText: (text) => {
          texts.push(text);
          if (text === "hello") connection.send("hi");
          else connection.close();
        },
        onEnd: ended.resolve,
      },
      "secret",
    );
    expect((await ended.promise).error).toBeUndefined();
    expect(texts).toEqual(["hello", "you said hi"]);
    expect(authorization).toBe("Bearer secret");
  });

  it.for([
    [401, {}, "unauthorized", "The agent wants to know who you are.", false],
    [
      404,
      { error: { code: "AgentNotFound", message: "there is no agent x", agents: ["default/y"] } },
      "refused",
      "There is no agent x; there are: default/y.",
      false,
    ],
    [
      503,
      { error: { message: "the agent waits for its pack" } },
      "refused",
      "The agent waits for its pack.",
      true,
    ],
    [500, "<html>", "refused", "answered 500 Internal Server Error.", false],
  ] as const)(
    "says in words why it was refused with %i",
    async ([status, body, code, message, temporary]) => {
      const server = createServer();
      server.on("upgrade", (_request, socket) => {
        const text = typeof body === "string" ? body : JSON.stringify(body);
        const reason = status === 500 ? "Internal Server Error" : "No";
        socket.end(
          `HTTP/1.1 ${status} ${reason}\r\nretry-after: 3\r\ncontent-length: ${text.length}\r\n\r\n${text}`,
        );
      });
      const { error } = await endOf(await listen(server));
      // An address stays as it is written, also where it begins a sentence.
      expect(error?.message).not.toContain("Ws://");
      expect(error).toMatchObject({
        code,
        message: expect.stringContaining(message),
        temporary,
        retryAfterMs: status === 401 ? undefined : 3_000,
      });
    },
  );

  it("says that nothing listens", async () => {
    const server = createServer();
    const url = await listen(server);
    await new Promise((resolve) => server.close(resolve));
    expect((await endOf(url)).error).toMatchObject({
      code: "unreachable",
      message: expect.stringContaining("Nothing listens at"),
    });
  });
});
