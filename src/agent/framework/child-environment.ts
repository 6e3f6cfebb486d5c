import { join } from "node:path";
import type { ProviderConfig } from "../../agent-config/agent-config.ts";

type Environment = Readonly<Record<string, string | undefined>>;

export interface ChildEnvironmentOptions {
  readonly env: Environment;
  readonly port: number;
  /** The folder of the agent config, which paths of secret files are relative to. */
  readonly configFolder: string;
  readonly provider: ProviderConfig | undefined;
  readonly toolsMcpUrl: string | undefined;
}

/** The variables of a runtime: those of the agent, where it has to listen, and the provider that the agent was given. */
export function childEnvironment(options: ChildEnvironmentOptions): Record<string, string> {
  const { env, port, configFolder, provider, toolsMcpUrl } = options;
  const given: Environment = {
    OMNIA_PROVIDER_NAME: provider?.name,
    OMNIA_PROVIDER_MODEL: provider?.model,
    OMNIA_PROVIDER_BASE_URL: provider?.baseURL,
    OMNIA_PROVIDER_API_KEY_FILE: provider && join(configFolder, provider.apiKeyFile),
    OMNIA_TOOLS_MCP_URL: toolsMcpUrl,
  };
  const variables: Environment = { ...given, ...env, PORT: String(port) };
  return Object.fromEntries(
    Object.entries(variables).filter(
      (variable): variable is [string, string] => variable[1] !== undefined,
    ),
  );
}

const SECRET_NAME = /(?:key|token|secret|password|passwd|credentials?|dsn)$/i;

/** The values that nobody declared as secret, and that are by their names. */
export function secretsIn(env: Environment): string[] {
  return Object.entries(env).flatMap(([name, value]) =>
    value !== undefined && SECRET_NAME.test(name) ? [value] : [],
  );
}
