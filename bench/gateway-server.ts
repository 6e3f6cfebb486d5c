/** The gateway of a cluster before one agent, whose port is the first argument, with all that it counts. */
import { createGatewayMetrics } from "../src/gateway/gateway-metrics.ts";
import { createGateway } from "../src/gateway/gateway.ts";
import { createLog } from "../src/observability/log.ts";
import { createMetrics } from "../src/observability/metrics.ts";

const endpoint = { id: "one", host: "127.0.0.1", port: Number(process.argv[2]) };
const gateway = createGateway({
  source: {
    resolve: () => ({
      status: "ready",
      endpoints: [endpoint],
      affinity: "none",
      allowedOrigins: [],
    }),
    agents: () => [],
    resources: () => [],
  },
  log: createLog({ level: "error" }),
  token: "",
  cluster: {
    allowedOrigins: [],
    authenticator: undefined,
    callers: undefined,
    signToken: undefined,
    metrics: createGatewayMetrics(createMetrics({ processMetrics: true })),
  },
});
const { port } = await gateway.listen({ host: "127.0.0.1", port: 0 });
process.send?.({ port });
process.on("disconnect", () => process.exit());
