import type { Transport } from "./transport.ts";

/** The part of the standard WebSocket that is used. Browsers and Node have one. */
interface StandardWebSocket {
  addEventListener(type: "message", listener: (event: { data: unknown }) => void): void;
  addEventListener(
    type: "close",
    listener: (event: { code: number; reason: string }) => void,
  ): void;
  readonly readyState: number;
  send(text: string): void;
  close(code?: number): void;
}
type WebSocketConstructor = new (url: string, protocols: string[]) => StandardWebSocket;

const OPEN = 1;
const NORMAL = 1000;
/** Sent beside a token, because a browser ends the connection when the server selects none of the subprotocols. */
const SUBPROTOCOL = "omnia";

/**
 * Makes connections with the WebSocket of a browser. It cannot set headers, so the token is sent as a subprotocol. It does not
 * tell why the server refused a connection, so a refusal looks like a connection that broke.
 */
export function webSocketTransport(WebSocket: WebSocketConstructor): Transport {
  return {
    open(url, events, token) {
      const protocols = token === undefined ? [] : [SUBPROTOCOL, `bearer.${token}`];
      const socket = new WebSocket(url, protocols);
      socket.addEventListener("message", ({ data }) => {
        if (typeof data === "string") events.onText(data);
      });
      socket.addEventListener("close", ({ code, reason }) => events.onEnd({ code, reason }));
      return {
        send: (text) => {
          if (socket.readyState === OPEN) socket.send(text);
        },
        close: () => socket.close(NORMAL),
      };
    },
  };
}
