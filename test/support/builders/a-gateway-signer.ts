import { generateKeyPairSync } from "node:crypto";
import { GatewayTokenSigner } from "../../../src/agent-config/gateway-token.ts";
import { type Clock, systemClock } from "../../../src/time/clock.ts";

/** A gateway's signer with a key of its own. */
export function aGatewaySigner(clock: Pick<Clock, "now"> = systemClock): GatewayTokenSigner {
  const { privateKey } = generateKeyPairSync("ed25519");
  return new GatewayTokenSigner(privateKey.export({ type: "pkcs8", format: "pem" }), clock);
}
