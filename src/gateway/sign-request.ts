import type { GatewayRequest } from "../agent-config/gateway-token.ts";

/** Makes the token by which the gateway proves to an agent who asks, and for what. */
export type SignRequest = (request: GatewayRequest) => string | Promise<string>;
