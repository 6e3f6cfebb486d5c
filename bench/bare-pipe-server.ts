/** The floor for a gateway: two sockets of Node that are piped into each other. It reads nothing, judges nothing, and counts nothing. */
import { connect, createServer, type AddressInfo } from "node:net";

const agentPort = Number(process.argv[2]);
const server = createServer({ noDelay: true }, (client) => {
  const agent = connect({ port: agentPort, host: "127.0.0.1", noDelay: true });
  for (const socket of [client, agent]) socket.on("error", () => {});
  client.pipe(agent);
  agent.pipe(client);
});
server.listen(0, "127.0.0.1", () => {
  process.send?.({ port: (server.address() as AddressInfo).port });
});
process.on("disconnect", () => process.exit());
