/** The model of agents in pods: a third party's server, behind a door at the address where pods reach this machine. */
import { once } from "node:events";
import { createServer, request } from "node:http";
import type { AddressInfo } from "node:net";
import { LLMock } from "@copilotkit/aimock";
import { askedTurn } from "../survival/model.ts";
import { lastWordsOf, PIECE_CHARACTERS } from "../survival/turn.ts";
import { MACHINE_ADDRESS } from "./cluster-node.ts";

export interface TalkModel extends AsyncDisposable {
  readonly url: string;
  /** How often it was asked. */
  readonly asked: () => number;
  /** What the last request brought to prove who asks. */
  readonly lastAuthorization: () => string | undefined;
}

/** A session of `loadService` hears its pieces, one after each pause; who says that he is unlucky gets an error. */
export async function startTalkModel(pauseMs: number): Promise<TalkModel> {
  let asked = 0;
  let lastAuthorization: string | undefined;
  const mock = new LLMock({
    port: 0,
    logLevel: "silent",
    chunkSize: PIECE_CHARACTERS,
    latency: pauseMs,
    journalMaxEntries: 1,
  });
  mock.onMessage(/^Message /, (request) => ({ content: lastWordsOf(askedTurn(request)) }));
  mock.onMessage(/unlucky/, {
    error: { message: "The server had an error", type: "server_error" },
    status: 500,
  });
  mock.onMessage(/./, { content: "Well." });
  await mock.start();

  // The mock keeps no credentials, and so they are looked at before it.
  const door = createServer((incoming, outgoing) => {
    asked += 1;
    lastAuthorization = incoming.headers.authorization;
    const { method, headers } = incoming;
    const onward = request(
      new URL(incoming.url ?? "/", mock.url),
      { method, headers },
      (answer) => {
        outgoing.writeHead(answer.statusCode ?? 500, answer.headers);
        answer.pipe(outgoing);
      },
    );
    onward.on("error", () => outgoing.destroy());
    outgoing.once("close", () => onward.destroy());
    incoming.pipe(onward);
  });
  door.listen(0, MACHINE_ADDRESS);
  await once(door, "listening");
  const { port } = door.address() as AddressInfo;
  return {
    url: `http://${MACHINE_ADDRESS}:${port}`,
    asked: () => asked,
    lastAuthorization: () => lastAuthorization,
    async [Symbol.asyncDispose](): Promise<void> {
      door.closeAllConnections();
      door.close();
      await mock.stop();
    },
  };
}
