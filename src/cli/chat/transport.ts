/** The connections of the command line. They send the token in a header and pings, and repeat the words of a server that refuses. */
import type { IncomingMessage } from "node:http";
import { text as readText } from "node:stream/consumers";
import { WebSocket } from "ws";
import { ACCESS_HEADER } from "../../http-api/paths.ts";
import { ClientError } from "../../protocol/client/client-error.ts";
import type { Transport } from "../../protocol/client/transport.ts";
import { SecretValues } from "../../observability/secrets/secret-values.ts";
import { shownAddress } from "./address.ts";
import { systemClock } from "../../time/clock.ts";

/** `done` holds a whole answer, and the result of a tool has up to 64 KiB. No agent sends more than this in one frame. */
const MAX_SERVER_FRAME_BYTES = 16 * 1024 * 1024;
const CONNECT_TIMEOUT_MS = 15_000;
const HEARTBEAT_MS = 30_000;
/** A server that does not answer the close must not keep the process alive. */
const CLOSE_TIMEOUT_MS = 1_000;
const MAX_REFUSAL_BYTES = 64 * 1024;
const REFUSAL_TIMEOUT_MS = 5_000;
const TEMPORARY_STATUSES: readonly number[] = [429, 502, 503, 504];

/** `accessToken` is for a gateway before the agent: one that others can reach wants it before it says which agents there are. */
export function chatTransport(accessToken?: string): Transport {
  return {
    open(url, events, token) {
      const shown = shownAddress(new URL(url));
      const sent = [token, accessToken];
      const secrets = new SecretValues(sent.filter((secret) => secret !== undefined));
      const socket = new WebSocket(url, {
        handshakeTimeout: CONNECT_TIMEOUT_MS,
        maxPayload: MAX_SERVER_FRAME_BYTES,
        perMessageDeflate: false,
        headers: {
          ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
          ...(accessToken === undefined ? {} : { [ACCESS_HEADER]: accessToken }),
        },
      });
      let error: ClientError | undefined;
      let stopPings: (() => void) | undefined;
      socket.on("open", () => (stopPings = startPings(socket)));
      socket.on("message", (data, isBinary) => {
        if (!isBinary) events.onText((data as Buffer).toString());
      });
      socket.on("unexpected-response", (request, response) => {
        void refusalOf(response, shown, secrets).then((refusal) => {
          error = refusal;
          request.destroy();
          socket.terminate();
        });
      });
      socket.on("error", (cause) => {
        // Once the connection is made, its close tells of a failure.
        if (stopPings === undefined) error ??= connectionError(cause, shown);
      });
      socket.on("close", (code, reason) => {
        stopPings?.();
        events.onEnd({ code, reason: reason.toString(), error });
      });
      return {
        send: (text) => {
          if (socket.readyState === WebSocket.OPEN) socket.send(text, () => {});
        },
        close: () => {
          socket.close(1000);
          const timer = systemClock.setTimer(CLOSE_TIMEOUT_MS, () => socket.terminate());
          socket.once("close", () => timer.cancel());
        },
      };
    },
  };
}

/** Cuts a connection when the other end does not answer pings. */
function startPings(socket: WebSocket): () => void {
  let isAlive = true;
  socket.on("pong", () => (isAlive = true));
  const beat = (): void => {
    if (!isAlive) socket.terminate();
    isAlive = false;
    if (socket.readyState === WebSocket.OPEN) socket.ping(() => {});
    timer = systemClock.setTimer(HEARTBEAT_MS, beat);
  };
  let timer = systemClock.setTimer(HEARTBEAT_MS, beat);
  return () => timer.cancel();
}

function connectionError(error: NodeJS.ErrnoException, shown: string): ClientError {
  const options = { temporary: true, cause: error };
  const { code = "unknown error" } = error;
  if (code === "ECONNREFUSED") {
    return new ClientError("unreachable", `Nothing listens at ${shown}.`, options);
  }
  if (code === "ENOTFOUND" || code === "EAI_AGAIN") {
    return new ClientError("unreachable", `The host of ${shown} is not known.`, options);
  }
  const why = error.message === "" ? code : error.message;
  return new ClientError("unreachable", `${shown} cannot be reached: ${why}.`, options);
}

/** Uses the server's own words where it gives some, without the token, and the status otherwise. */
async function refusalOf(
  response: IncomingMessage,
  shown: string,
  secrets: SecretValues,
): Promise<ClientError> {
  const status = response.statusCode ?? 0;
  const said = readRefusal(secrets.hide(await readBody(response)));
  if (status === 401) {
    const message = said ?? "The agent wants to know who you are";
    return new ClientError("unauthorized", sentence(message));
  }
  const answer = `${shown} answered ${status} ${response.statusMessage ?? ""}`.trimEnd();
  const retryAfter = Number(response.headers["retry-after"] ?? Number.NaN);
  return new ClientError("refused", sentence(said ?? answer), {
    temporary: TEMPORARY_STATUSES.includes(status),
    retryAfterMs: retryAfter >= 0 ? retryAfter * 1_000 : undefined,
  });
}

async function readBody(response: IncomingMessage): Promise<string> {
  const timer = systemClock.setTimer(REFUSAL_TIMEOUT_MS, () => response.destroy());
  let bytes = 0;
  response.on("data", (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > MAX_REFUSAL_BYTES) response.destroy();
  });
  try {
    return await readText(response);
  } catch {
    return "";
  } finally {
    timer.cancel();
  }
}

/** Reads the message of an error body such as `{"error": {"message", "agents"}}`. */
function readRefusal(body: string): string | undefined {
  try {
    const { error } = JSON.parse(body) as { error?: { message?: unknown; agents?: unknown } };
    if (typeof error?.message !== "string" || error.message === "") return undefined;
    const { message, agents } = error;
    if (!Array.isArray(agents)) return message;
    return agents.length === 0
      ? `${message}; there are no agents`
      : `${message}; there are: ${agents.map(String).toSorted().join(", ")}`;
  } catch {
    return undefined;
  }
}

/** An address at its beginning stays as it is written. */
function sentence(text: string): string {
  const start = /^\w+:/.test(text) ? text : text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?]$/.test(start) ? start : `${start}.`;
}
