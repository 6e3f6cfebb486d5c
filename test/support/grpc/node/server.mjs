/**
 * Serves shop.proto by grpc-js with the package @grpc/reflection on loopback, until its input ends: server.mjs PACKAGES [PORT]
 *
 * PACKAGES is the folder that they are installed in. Port 0, which is the default, is any free one. The line "listening on PORT" says
 * that it is ready.
 */
import { createRequire } from "node:module";
import { join } from "node:path";

const [packages, wantedPort = "0"] = process.argv.slice(2);
const require = createRequire(join(packages, "package.json"));
const { loadPackageDefinition, Server, ServerCredentials, status } = require("@grpc/grpc-js");
const { loadSync } = require("@grpc/proto-loader");
const { ReflectionService } = require("@grpc/reflection");

const definition = loadSync(join(import.meta.dirname, "../shop.proto"), {
  longs: String,
  enums: String,
});
const { Shop } = loadPackageDefinition(definition).shop.v1;
const server = new Server();
server.addService(Shop.service, {
  getOrder({ request }, done) {
    if (request.orderId === "none") {
      done({ code: status.NOT_FOUND, details: "order none is not there" });
    } else done(null, { orderId: request.orderId, state: "STATE_SENT", cents: "9007199254740993" });
  },
  echo({ request }, done) {
    done(null, request);
  },
  placeOrder({ request }, done) {
    done(null, request);
  },
  watchOrders(call) {
    for (let number = 0; number < call.request.count; number += 1) {
      call.write({ orderId: String(number) });
    }
    call.end();
  },
});
new ReflectionService(definition).addToServer(server);
const wanted = `127.0.0.1:${wantedPort}`;
server.bindAsync(wanted, ServerCredentials.createInsecure(), (error, port) => {
  if (error !== null) throw error;
  process.stdout.write(`listening on ${port}\n`);
});
process.stdin.once("end", () => process.exit(0));
process.stdin.resume();
