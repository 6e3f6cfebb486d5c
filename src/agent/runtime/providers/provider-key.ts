import type { ProviderConfig } from "../../../agent-config/agent-config.ts";
import type { ReadSecret } from "../../../agent-config/read-secret.ts";
import { apiKeyProblem } from "../../../agent-config/credential.ts";

/** There is no key to send. The message is for people. */
export class ProviderKeyError extends Error {
  override readonly name = "ProviderKeyError";
}

export async function readProviderKey(
  config: Pick<ProviderConfig, "apiKeyFile">,
  readSecret: ReadSecret,
): Promise<string> {
  let key: string;
  try {
    key = (await readSecret(config.apiKeyFile)).trim();
  } catch (cause) {
    throw new ProviderKeyError("the provider's API key is missing: its Secret could not be read", {
      cause,
    });
  }
  if (key === "") throw new ProviderKeyError("the provider's API key is empty");
  // Whoever tried to send such a key would quote it in an error.
  if (apiKeyProblem(key) !== undefined) {
    throw new ProviderKeyError(
      "the provider's API key holds a blank, a line break or another character that no key has",
    );
  }
  return key;
}
