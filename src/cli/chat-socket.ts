/** The handshake: from an address to a socket whose server has greeted with `connected`, or a ChatError that says why not. */
import type { IncomingMessage } from "node:http";
import { text as readText } from "node:stream/consumers";
import { WebSocket } from "ws";
import type { ConnectedFrame } from "../protocol/frames.ts";
import { parseServerFrame } from "../protocol/server-frame.ts";
import { shownAddress } from "./chat-address.ts";
import { ChatError } from "./chat-error.ts";

/** `done` holds a whole answer, a tool's result up to 64 KiB; more than this no agent sends in one frame. */
const MAX_SERVER_FRAME_BYTES = 16 * 1024 * 1024;
/** For the handshake and for the greeting, each. */
const CONNECT_TIMEOUT_MS = 15_000;
const MAX_REFUSAL_BYTES = 64 * 1024;
const REFUSAL_TIMEOUT_MS = 5_000;
const TEMPORARY_STATUSES: readonly number[] = [429, 502, 503, 504];

export interface ChatSocketOptions {
  readonly url: URL;
  readonly token?: string | undefined;
  /** The session that `url` asks for. */
  readonly sessionId?: string | undefined;
}

export interface OpenedChatSocket {
  readonly socket: WebSocket;
  readonly greeting: ConnectedFrame;
  /** The greeting as received. */
  readonly text: string;
  /** Gives the text frames after the greeting, in order, none left out. */
  readonly listen: (onText: (text: string) => void) => void;
}

export function openChatSocket(
  options: ChatSocketOptions,
  signal: AbortSignal,
): Promise<OpenedChatSocket> {
  const { url, token, sessionId } = options;
  const shown = shownAddress(url);
  return new Promise((resolve, reject) => {
    if (signal.aborted) {
      reject(signal.reason);
      return;
    }
    const socket = new WebSocket(url, {
      handshakeTimeout: CONNECT_TIMEOUT_MS,
      maxPayload: MAX_SERVER_FRAME_BYTES,
      perMessageDeflate: false,
      headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
    });
    const early: string[] = [];
    let receive: (text: string) => void = greet;

    const settle = (): void => {
      clearTimeout(greetingTimer);
      signal.removeEventListener("abort", onAbort);
    };
    const fail = (error: unknown): void => {
      settle();
      reject(error);
      socket.terminate();
    };
    const onAbort = (): void => fail(signal.reason);
    signal.addEventListener("abort", onAbort, { once: true });
    const greetingTimer = setTimeout(
      () =>
        fail(
          new ChatError("timeout", `${shown} did not greet as an agent does.`, { temporary: true }),
        ),
      2 * CONNECT_TIMEOUT_MS,
    );

    function greet(text: string): void {
      const parsed = parseServerFrame(text);
      if (!parsed.ok) {
        fail(
          new ChatError("protocol", `${shown} does not greet as an agent does: ${parsed.problem}.`),
        );
        return;
      }
      const { frame } = parsed;
      if (frame.type === "error") {
        fail(refusalOfFrame(frame.error.code, frame.error.message, sessionId));
      } else if (frame.type !== "connected") {
        fail(
          new ChatError(
            "protocol",
            `${shown} does not greet as an agent does: its first frame is ${frame.type}.`,
          ),
        );
      } else if (sessionId !== undefined && frame.session_id !== sessionId) {
        fail(sessionNotFound(sessionId));
      } else {
        settle();
        receive = (later) => early.push(later);
        resolve({
          socket,
          greeting: frame,
          text,
          listen: (onText) => {
            receive = onText;
            for (const earlier of early.splice(0)) onText(earlier);
          },
        });
      }
    }

    socket.on("message", (data, isBinary) => {
      if (!isBinary) receive((data as Buffer).toString());
    });
    socket.on("unexpected-response", (request, response) => {
      void refusalOfResponse(response, shown).then((error) => {
        request.destroy();
        fail(error);
      });
    });
    // After the greeting a failure shows as the close of the socket.
    socket.on("error", (error) => fail(connectionError(error, shown)));
    socket.on("close", (code) =>
      fail(
        new ChatError("unreachable", `${shown} closed the connection (${code}).`, {
          temporary: true,
        }),
      ),
    );
  });
}

function refusalOfFrame(code: string, message: string, sessionId: string | undefined): ChatError {
  if (code === "SESSION_NOT_FOUND" && sessionId !== undefined) return sessionNotFound(sessionId);
  return new ChatError("refused", sentence(message), { temporary: code === "UNAVAILABLE" });
}

function sessionNotFound(sessionId: string): ChatError {
  return new ChatError(
    "session-not-found",
    `There is no session ${sessionId}: it has expired, or it is another agent's.`,
  );
}

function connectionError(error: NodeJS.ErrnoException, shown: string): ChatError {
  const options = { temporary: true, cause: error };
  const { code = "unknown error" } = error;
  if (code === "ECONNREFUSED") {
    return new ChatError("unreachable", `Nothing listens at ${shown}.`, options);
  }
  if (code === "ENOTFOUND" || code === "EAI_AGAIN") {
    return new ChatError("unreachable", `The host of ${shown} is not known.`, options);
  }
  const why = error.message === "" ? code : error.message;
  return new ChatError("unreachable", `${shown} cannot be reached: ${why}.`, options);
}

/** The server's own words where it gives some, else the status. */
async function refusalOfResponse(response: IncomingMessage, shown: string): Promise<ChatError> {
  const status = response.statusCode ?? 0;
  const said = readRefusal(await readBody(response));
  const message =
    said === undefined
      ? `${shown} answered ${status} ${response.statusMessage ?? ""}`.trimEnd()
      : said;
  if (status === 401)
    return new ChatError("unauthorized", sentence(said ?? "The agent wants to know who you are"));
  return new ChatError("refused", sentence(message), {
    temporary: TEMPORARY_STATUSES.includes(status),
  });
}

async function readBody(response: IncomingMessage): Promise<string> {
  const timer = setTimeout(() => response.destroy(), REFUSAL_TIMEOUT_MS);
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
    clearTimeout(timer);
  }
}

/** The message of an error body: `{"error": {"message", "agents"}}`. */
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

function sentence(text: string): string {
  const start = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?]$/.test(start) ? start : `${start}.`;
}
