/** What the flags of `omnia gateway` ask for. What is wrong is said with the flag and what to do. */
import { statSync } from "node:fs";
import { resolve } from "node:path";
import { facadeSchema } from "../../api/facade.ts";
import { canonicalHost } from "../../gateway/host-rule.ts";
import type { GatewaySettings } from "../../gateway-cluster/run-gateway.ts";
import { CliError, EXIT_CODES } from "../terminal/cli-error.ts";

/** The flags as they were given. A list is never undefined. */
export interface GatewayFlags {
  /** Undefined: all addresses. */
  readonly host?: string | undefined;
  readonly port: number;
  readonly managementPort: number;
  readonly namespaces: readonly string[];
  readonly allowedOrigin: readonly string[];
  readonly allowedHost: readonly string[];
  readonly maxConnections: number;
  readonly authJwtIssuer?: string | undefined;
  readonly authJwtAudience: readonly string[];
  readonly authJwtJwksUri?: string | undefined;
  readonly authJwtRequiredClaims: readonly string[];
  readonly apiKeysDir?: string | undefined;
  readonly gatewayKeyFile?: string | undefined;
  readonly api: boolean;
  readonly console: boolean;
  readonly drainGraceMs: number;
}

/** Where a field of an agent's facade is, among the flags. */
const FLAGS: Readonly<Record<string, string>> = {
  allowedOrigins: "--allowed-origin",
  "auth.jwt.issuer": "--auth-jwt-issuer",
  "auth.jwt.audiences": "--auth-jwt-audience",
  "auth.jwt.jwksUri": "--auth-jwt-jwks-uri",
  "auth.jwt.requiredClaims": "--auth-jwt-required-claims",
};

/** Throws a CliError that names the flag. */
export function readGatewayFlags(flags: GatewayFlags): GatewaySettings {
  const { allowedOrigins, jwt } = readFacade(flags);
  const apiKeysFolder = flags.apiKeysDir === undefined ? undefined : resolve(flags.apiKeysDir);
  if (apiKeysFolder !== undefined && !isFolder(apiKeysFolder)) {
    throw wrong("--api-keys-dir", `there is no folder ${apiKeysFolder}`, {
      cure: "Mount the Secret there whose keys are those of the clients.",
    });
  }
  const auth =
    jwt === undefined && apiKeysFolder === undefined ? undefined : { jwt, apiKeysFolder };
  const keyFile = flags.gatewayKeyFile === undefined ? undefined : resolve(flags.gatewayKeyFile);
  if (keyFile === undefined && (auth !== undefined || flags.api)) {
    const asking = flags.api ? "--api" : jwt === undefined ? "--api-keys-dir" : "--auth-jwt-issuer";
    throw wrong(asking, "the gateway needs a key to prove to agents who its clients are", {
      cure: "Name the file key.pem of Secret omnia-gateway-key with --gateway-key-file, and start the operator with --gateway.",
    });
  }
  if (flags.console && !flags.api) {
    throw wrong("--console", "the page asks the HTTP API for all that it shows", {
      cure: "Give --api too.",
    });
  }
  return {
    host: flags.host,
    port: flags.port,
    managementPort: flags.managementPort,
    namespaces: flags.namespaces,
    allowedOrigins,
    allowedHosts: flags.allowedHost.map(readHost),
    maxConnections: flags.maxConnections,
    auth,
    keyFile,
    hasApi: flags.api,
    hasConsole: flags.console,
    drainGraceMs: flags.drainGraceMs,
  };
}

/** The flags that agents have as fields, under the same rules. */
function readFacade(flags: GatewayFlags) {
  const { authJwtIssuer: issuer, authJwtAudience, authJwtJwksUri: jwksUri } = flags;
  const claims = flags.authJwtRequiredClaims.map(readClaim);
  if (issuer === undefined) {
    for (const [flag, isGiven] of [
      ["--auth-jwt-audience", authJwtAudience.length > 0],
      ["--auth-jwt-jwks-uri", jwksUri !== undefined],
      ["--auth-jwt-required-claims", claims.length > 0],
    ] as const) {
      if (isGiven) throw wrong(flag, "whose tokens are meant is not said", "--auth-jwt-issuer URL");
    }
  } else if (authJwtAudience.length === 0) {
    const why = "a token for another service must not open this one";
    throw wrong("--auth-jwt-issuer", why, "--auth-jwt-audience NAME");
  }
  const jwt =
    issuer === undefined
      ? undefined
      : {
          issuer,
          audiences: authJwtAudience,
          requiredClaims: Object.fromEntries(claims),
          ...(jwksUri === undefined ? {} : { jwksUri }),
        };
  const read = facadeSchema.safeParse({
    allowedOrigins: flags.allowedOrigin,
    ...(jwt === undefined ? {} : { auth: { jwt } }),
  });
  if (!read.success) {
    const [issue] = read.error.issues;
    const path = (issue?.path ?? []).filter((part) => typeof part === "string").join(".");
    throw wrong(FLAGS[path] ?? "--auth-jwt-issuer", issue?.message ?? "", {
      cure: "See omnia gateway --help.",
    });
  }
  const { allowedOrigins = [], auth } = read.data;
  return { allowedOrigins, jwt: auth?.jwt };
}

function readClaim(text: string): [string, string] {
  const at = text.indexOf("=");
  if (at < 1) {
    throw wrong(
      "--auth-jwt-required-claims",
      `${JSON.stringify(text)} has no value`,
      "CLAIM=VALUE",
    );
  }
  return [text.slice(0, at), text.slice(at + 1)];
}

/** `*`, or a host whose first name may be `*`. */
function readHost(text: string): string {
  if (text === "*") return text;
  const [, wildcard = "", rest = ""] = /^(\*\.)?(.*)$/s.exec(text) ?? [];
  const host = canonicalHost(rest);
  if (host === undefined || host.includes("*") || /:\d*$/.test(rest)) {
    throw wrong("--allowed-host", `${JSON.stringify(text)} is no host`, "HOST or *.DOMAIN");
  }
  return wildcard + host;
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}

function wrong(flag: string, why: string, what: string | { cure: string }): CliError {
  const cure = typeof what === "string" ? `Give ${what}.` : what.cure;
  return new CliError(`${flag}: ${why}.`, { cure, exitCode: EXIT_CODES.usage });
}
