import type { Transport } from "./transport.ts";

/** The part of the standard WebSocket that is used; a browser's is one, and so is Node's own. */
interface StandardWebSocket {
  addEventListener(type: "message", listener: (event: { data: unknown }) => void): void;
  addEventListener(type: "close", listener: (event: { code: number }) => void): void;
  readonly readyState: number;
  send(text: string): void;
  close(code?: number): void;
}
type WebSocketConstructor = new (url: string, protocols: string[]) => StandardWebSocket;

const OPEN = 1;
const NORMAL = 1000;
/** Goes along with a token: a browser ends the connection when the server selects none of the subprotocols. */
const SUBPROTOCOL = "omnia";

/**
 * Over the WebSocket of a browser. It cannot set headers, so the token goes as a subprotocol; and it tells nobody why the
 * server refused a connection: that looks like a line that broke.
 */
export function webSocketTransport(WebSocket: WebSocketConstructor, token?: string): Transport {
  return {
    open(url, events) {
      const protocols = token === undefined ? [] : [SUBPROTOCOL, `bearer.${token}`];
      const socket = new WebSocket(url, protocols);
      socket.addEventListener("message", ({ data }) => {
        if (typeof data === "string") events.onText(data);
      });
      socket.addEventListener("close", ({ code }) => events.onEnd({ code }));
      return {
        send: (text) => {
          if (socket.readyState === OPEN) socket.send(text);
        },
        close: () => socket.close(NORMAL),
      };
    },
  };
}
