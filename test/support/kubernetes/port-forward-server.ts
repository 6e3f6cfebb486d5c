/** Leads port forwards on to a port of this machine, in the protocol that an API server speaks: what a node would do, without one. */
import type { Server } from "node:http";
import { connect } from "node:net";
import { WebSocketServer } from "ws";

const PATH = /^\/api\/v1\/namespaces\/([^/]+)\/pods\/([^/]+)\/portforward\?ports=(\d+)$/;

export interface ForwardedPort {
  readonly namespace: string;
  readonly pod: string;
  readonly port: number;
}

/** `open` gives the port of this machine, or the status with which the API server refuses. */
export function answerPortForwards(
  server: Server,
  open: (target: ForwardedPort) => { port: number } | { status: number; message: string },
): void {
  const sockets = new WebSocketServer({
    noServer: true,
    handleProtocols: (offered) => (offered.has("v4.channel.k8s.io") ? "v4.channel.k8s.io" : false),
  });
  server.on("upgrade", (request, socket, head) => {
    const [, namespace = "", pod = "", port = ""] = PATH.exec(request.url ?? "") ?? [];
    const opened = open({ namespace, pod, port: Number(port) });
    if ("status" in opened) {
      const body = JSON.stringify({ kind: "Status", message: opened.message });
      socket.end(
        `HTTP/1.1 ${opened.status} Refused\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
      );
      return;
    }
    sockets.handleUpgrade(request, socket, head, (webSocket) => {
      const number = Buffer.alloc(2);
      number.writeUInt16LE(Number(port));
      for (const channel of [0, 1]) webSocket.send(Buffer.concat([Buffer.of(channel), number]));
      const pod = connect(opened.port, "127.0.0.1");
      pod.on("data", (data) => webSocket.send(Buffer.concat([Buffer.of(0), Buffer.from(data)])));
      pod.on("error", (error) => webSocket.send(`\u0001${error.message}`, { binary: true }));
      pod.on("close", () => webSocket.close());
      webSocket.on("message", (message: Buffer) => pod.write(message.subarray(1)));
      webSocket.on("close", () => pod.destroy());
    });
  });
}
