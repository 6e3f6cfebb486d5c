import type { Environment } from "../secrets/resolve-secret.ts";

/**
 * The variables that a replica inherits from `omnia up`. It does not inherit all of them, because there may be keys of other
 * providers among them, and whatever else a shell holds.
 */
const INHERITED = [
  "PATH",
  "HOME",
  "USER",
  "LANG",
  "LC_ALL",
  "TZ",
  "TMPDIR",
  "LOG_LEVEL",
  "OMNIA_DEMO_PAUSES",
  "NODE_EXTRA_CA_CERTS",
  "NODE_USE_ENV_PROXY",
  "NODE_USE_SYSTEM_CA",
  "SSL_CERT_FILE",
  "SSL_CERT_DIR",
  ...["HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY"].flatMap((name) => [
    name,
    name.toLowerCase(),
  ]),
];

/** `own` holds what the agent's manifest and the agent config give. It overrides what is inherited. */
export function processEnvironment(
  parent: Environment,
  own: Readonly<Record<string, string>>,
): Record<string, string> {
  const environment: Record<string, string> = {};
  for (const name of INHERITED) {
    const value = parent[name];
    if (value !== undefined) environment[name] = value;
  }
  return { ...environment, ...own };
}
