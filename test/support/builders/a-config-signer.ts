import { generateKeyPairSync } from "node:crypto";
import { ConfigSigner } from "../../../src/agent-config/config-signature.ts";

/** Signs agent configs with a key of its own. */
export function aConfigSigner(): ConfigSigner {
  const { privateKey } = generateKeyPairSync("ed25519");
  return new ConfigSigner(privateKey.export({ type: "pkcs8", format: "pem" }));
}
