import { describe, expect, it } from "vitest";
import { readGatewayFlags, type GatewayFlags } from "./read-gateway-flags.ts";

function read(flags: Partial<GatewayFlags>) {
  return readGatewayFlags({
    port: 8080,
    managementPort: 8081,
    namespaces: [],
    allowedOrigin: [],
    allowedHost: [],
    maxConnections: 10,
    authJwtAudience: [],
    authJwtRequiredClaims: [],
    api: false,
    console: false,
    drainGraceMs: 0,
    ...flags,
  });
}

const issuer = { authJwtIssuer: "https://id.example", authJwtAudience: ["omnia"] };
const gatewayKeyFile = "/key.pem";

describe("the flags of a gateway", () => {
  it("ask nobody who they are unless they say how", () => {
    expect(read({})).toMatchObject({ auth: undefined, keyFile: undefined, allowedHosts: [] });
  });

  it("name an issuer, keys, pages and hosts", () => {
    const settings = read({
      ...issuer,
      authJwtRequiredClaims: ["team=a=b"],
      apiKeysDir: import.meta.dirname,
      gatewayKeyFile,
      allowedOrigin: ["https://app.example", "*"],
      allowedHost: ["*.Example.COM", "agents.example", "*"],
    });
    expect(settings).toMatchObject({
      auth: {
        jwt: {
          issuer: "https://id.example",
          audiences: ["omnia"],
          requiredClaims: { team: "a=b" },
        },
        apiKeysFolder: import.meta.dirname,
      },
      keyFile: "/key.pem",
      allowedOrigins: ["https://app.example", "*"],
      allowedHosts: ["*.example.com", "agents.example", "*"],
    });
  });

  it.each<[string, Partial<GatewayFlags>]>([
    ["--auth-jwt-issuer", { authJwtIssuer: "https://id.example" }],
    ["--auth-jwt-issuer", { ...issuer, authJwtIssuer: "http://id.example", gatewayKeyFile }],
    ["--auth-jwt-issuer", { ...issuer, authJwtIssuer: "id.example", gatewayKeyFile }],
    ["--auth-jwt-issuer", issuer],
    ["--auth-jwt-audience", { authJwtAudience: ["omnia"] }],
    ["--auth-jwt-audience", { ...issuer, authJwtAudience: [""], gatewayKeyFile }],
    ["--auth-jwt-jwks-uri", { authJwtJwksUri: "https://id.example/keys" }],
    ["--auth-jwt-jwks-uri", { ...issuer, authJwtJwksUri: "http://id.example", gatewayKeyFile }],
    ["--auth-jwt-required-claims", { authJwtRequiredClaims: ["team=a"] }],
    ["--auth-jwt-required-claims", { ...issuer, authJwtRequiredClaims: ["team"], gatewayKeyFile }],
    ["--api-keys-dir", { apiKeysDir: "/there/is/no/such/folder" }],
    ["--api-keys-dir", { apiKeysDir: import.meta.filename }],
    ["--api-keys-dir", { apiKeysDir: import.meta.dirname }],
    ["--api", { api: true }],
    ["--console", { console: true, gatewayKeyFile }],
    ["--allowed-origin", { allowedOrigin: ["app.example"] }],
    ["--allowed-host", { allowedHost: ["agents.example:443"] }],
    ["--allowed-host", { allowedHost: ["https://agents.example"] }],
    ["--allowed-host", { allowedHost: ["a.*.example"] }],
    ["--allowed-host", { allowedHost: ["*."] }],
  ])("that are wrong are named: %s in %j", (flag, flags) => {
    const error = (() => {
      try {
        read(flags);
      } catch (thrown) {
        return thrown as { message: string; cure: string; exitCode: number };
      }
      throw new Error("it was taken");
    })();
    expect(error.message.split(": ")[0]).toBe(flag);
    expect(error.cure).toMatch(/\.$/);
    expect(error.exitCode).toBe(2);
  });
});
