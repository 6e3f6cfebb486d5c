import { exportJWK, generateKeyPair, SignJWT, type JWK } from "jose";
import { onTestFinished } from "vitest";
import { startHttpServer } from "../processes/http-server.ts";

/** An issuer of tokens on this machine, which publishes its keys and says where. It ends with the test. */
export class TestIssuer {
  /** What the issuer publishes. */
  readonly keys: JWK[] = [];
  fetches = 0;
  #url = "";

  static async start(): Promise<TestIssuer> {
    const issuer = new TestIssuer();
    const server = await startHttpServer((request, response) => {
      if (request.url === "/keys") {
        issuer.fetches++;
        response.end(JSON.stringify({ keys: issuer.keys }));
      } else if (request.url === "/.well-known/openid-configuration") {
        response.end(JSON.stringify({ issuer: issuer.url, jwks_uri: `${issuer.url}/keys` }));
      } else response.writeHead(404).end();
    });
    onTestFinished(() => server.close());
    issuer.#url = server.url;
    return issuer;
  }

  get url(): string {
    return this.#url;
  }

  /** Publishes a new key, and answers what signs tokens with it. */
  async newKey(kid: string): Promise<(claims?: Record<string, unknown>) => Promise<string>> {
    const { privateKey, publicKey } = await generateKeyPair("ES256");
    this.keys.push({ ...(await exportJWK(publicKey)), kid, alg: "ES256" });
    return (claims = {}) => {
      const exp = Math.floor(Date.now() / 1_000) + 300;
      return new SignJWT({ iss: this.url, aud: "omnia", sub: "alice", exp, ...claims })
        .setProtectedHeader({ alg: "ES256", kid })
        .sign(privateKey);
    };
  }
}
