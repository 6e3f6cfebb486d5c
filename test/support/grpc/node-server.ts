/**
 * Serves shop.proto by grpc-js with the package @grpc/reflection on a free port of loopback, until its input ends. The line
 * "listening on PORT" says that it is ready.
 */
import { join } from "node:path";
import {
  Server,
  ServerCredentials,
  status,
  type sendUnaryData,
  type ServerUnaryCall,
  type ServerWritableStream,
} from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";
import {
  loadPackageDefinition,
  type GrpcObject,
  type ServiceClientConstructor,
} from "@grpc/grpc-js";
import { ReflectionService } from "@grpc/reflection";

interface Order {
  readonly orderId: string;
}
type Unary<Request> = ServerUnaryCall<Request, object>;
type Done = sendUnaryData<object>;

const definition = loadSync(join(import.meta.dirname, "shop.proto"), {
  longs: String,
  enums: String,
});
const { Shop } = (loadPackageDefinition(definition)["shop"] as GrpcObject)["v1"] as GrpcObject;
const server = new Server();
server.addService((Shop as ServiceClientConstructor).service, {
  getOrder({ request }: Unary<Order>, done: Done) {
    if (request.orderId === "none") {
      done({ code: status.NOT_FOUND, details: "order none is not there" });
    } else done(null, { orderId: request.orderId, state: "STATE_SENT", cents: "9007199254740993" });
  },
  echo({ request }: Unary<object>, done: Done) {
    done(null, request);
  },
  placeOrder({ request }: Unary<object>, done: Done) {
    done(null, request);
  },
  watchOrders(call: ServerWritableStream<{ count: number }, object>) {
    for (let number = 0; number < call.request.count; number += 1) {
      call.write({ orderId: String(number) });
    }
    call.end();
  },
});
new ReflectionService(definition).addToServer(server);
const wanted = `127.0.0.1:${process.argv[2] ?? "0"}`;
server.bindAsync(wanted, ServerCredentials.createInsecure(), (error, port) => {
  if (error !== null) throw error;
  process.stdout.write(`listening on ${port}\n`);
});
process.stdin.once("end", () => process.exit(0));
process.stdin.resume();
