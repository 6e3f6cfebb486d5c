/** The other end of a gRPC call: an HTTP/2 server that answers every request with the same small message. */
import { createServer, type ServerHttp2Stream } from "node:http2";
import type { AddressInfo } from "node:net";

/** A field 1 that is a string of six characters, behind the head of a message of gRPC. */
const MESSAGE = Buffer.from([0, 0, 0, 0, 8, 10, 6, ...Buffer.from("it is!")]);

const server = createServer();
server.on("stream", (stream: ServerHttp2Stream) => {
  stream.resume().once("end", () => {
    stream.respond(
      { ":status": 200, "content-type": "application/grpc" },
      { waitForTrailers: true },
    );
    stream.once("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
    stream.end(MESSAGE);
  });
});
server.listen(0, "127.0.0.1", () => {
  process.send?.({ port: (server.address() as AddressInfo).port });
});
