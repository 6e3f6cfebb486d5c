/** The paths at which an agent and the gateway take WebSocket connections. */
export const WEBSOCKET_PATHS: readonly string[] = ["/", "/ws"];
