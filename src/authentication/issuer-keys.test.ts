import { generateKeyPair, exportJWK } from "jose";
import type { IncomingMessage, ServerResponse } from "node:http";
import { describe, expect, it, onTestFinished } from "vitest";
import { ManualClock } from "../../test/support/builders/manual-clock.ts";
import { startHttpServer } from "../../test/support/processes/http-server.ts";
import { systemClock, type Clock } from "../time/clock.ts";
import {
  ISSUER_KEYS_AGE_MS,
  ISSUER_RETRY_MS,
  ISSUER_TIMEOUT_MS,
  MAX_ISSUER_ANSWER_BYTES,
  MAX_ISSUER_KEYS,
} from "./limits.ts";
import { fetchFromIssuer } from "./issuer-fetch.ts";
import { IssuerKeys } from "./issuer-keys.ts";

type Listener = (request: IncomingMessage, response: ServerResponse) => void;

async function serve(listener: Listener): Promise<string> {
  const server = await startHttpServer(listener);
  onTestFinished(() => server.close());
  return server.url;
}

function keysAt(jwksUri: string, clock: Clock = systemClock): IssuerKeys {
  const config = { issuer: "https://login.example", audiences: [], requiredClaims: {} };
  return new IssuerKeys({ ...config, jwksUri }, clock);
}

async function aKey(kid: string) {
  return { ...(await exportJWK((await generateKeyPair("ES256")).publicKey)), kid };
}

describe("an answer of an issuer", () => {
  it("without an end is read up to the limit, and no further", async () => {
    let sent = 0;
    const closed = Promise.withResolvers<void>();
    const url = await serve((_request, response) => {
      const chunk = Buffer.alloc(64 * 1024, " ");
      response.on("close", () => closed.resolve());
      function more(): void {
        while (!response.destroyed) {
          sent += chunk.length;
          if (!response.write(chunk)) break;
        }
      }
      response.on("drain", more);
      more();
    });
    await expect(keysAt(url).current()).rejects.toThrow(
      `answered over ${MAX_ISSUER_ANSWER_BYTES} bytes`,
    );
    await closed.promise;
    expect(sent).toBeLessThan(32 * 1024 * 1024);
  });

  it("that is small on the wire and large when it is unpacked is not read further either", async () => {
    const { gzipSync } = await import("node:zlib");
    const packed = gzipSync(Buffer.alloc(64 * 1024 * 1024, " "));
    const url = await serve((_request, response) => {
      response.setHeader("content-encoding", "gzip").end(packed);
    });
    await expect(fetchFromIssuer(url, systemClock)).rejects.toThrow("answered over");
  });

  it("that does not come, or stops in its middle, is given up", async () => {
    for (const beginning of [undefined, '{"keys":[']) {
      const clock = new ManualClock();
      const asked = Promise.withResolvers<void>();
      const url = await serve((_request, response) => {
        if (beginning !== undefined) response.write(beginning);
        asked.resolve();
      });
      const fetched = fetchFromIssuer(url, clock);
      void asked.promise.then(() => clock.advance(ISSUER_TIMEOUT_MS));
      await expect(fetched).rejects.toThrow("could not be fetched");
    }
  });

  it("that leads elsewhere is not followed", async () => {
    let followed = 0;
    const target = await serve((_request, response) => {
      followed++;
      response.end('{"keys":[]}');
    });
    const url = await serve((_request, response) => {
      response.writeHead(302, { location: target }).end();
    });
    await expect(fetchFromIssuer(url, systemClock)).rejects.toThrow("could not be fetched");
    expect(followed).toBe(0);
  });

  it.each([
    ["no JSON", "<html>", "answered what is no JSON"],
    ["no key set", '{"key":1}', "answered what is no key set"],
    ["a key that is none", '{"keys":["x"]}', "answered what is no key set"],
    [
      "too many keys",
      JSON.stringify({ keys: Array.from({ length: MAX_ISSUER_KEYS + 1 }, () => ({ kty: "EC" })) }),
      `no key set of at most ${MAX_ISSUER_KEYS} keys`,
    ],
  ])("that is %s is refused", async (_, body, problem) => {
    const url = await serve((_request, response) => void response.end(body));
    await expect(keysAt(url).current()).rejects.toThrow(problem);
  });
});

describe("an issuer", () => {
  it.each([
    "http://login.example/keys",
    "http://10.0.0.7/keys",
    "http://localhost.example/keys",
    "http://agent.localhost/keys",
    "http://127.0.0.1.example/keys",
    "http://[fe80::1]/keys",
    "http://169.254.169.254/keys",
    "ftp://127.0.0.1/keys",
    "file:///etc/passwd",
    "http://user:password@127.0.0.1/keys",
    "keys",
  ])("is not asked at %s", async (address) => {
    await expect(fetchFromIssuer(address, systemClock)).rejects.toThrow("is not asked");
  });

  it("is asked without encryption on this machine only, also where its discovery leads elsewhere", async () => {
    const url: string = await serve((_request, response) => {
      response.end(JSON.stringify({ issuer: url, jwks_uri: "http://login.example/keys" }));
    });
    const config = { issuer: url, audiences: [], requiredClaims: {} };
    await expect(new IssuerKeys(config, systemClock).current()).rejects.toThrow(
      "http://login.example/keys is not asked",
    );
  });

  it("that fails is asked again after a pause, however many clients come", async () => {
    const clock = new ManualClock();
    let asked = 0;
    const url = await serve((_request, response) => {
      asked++;
      response.writeHead(500).end();
    });
    const keys = keysAt(url, clock);
    await Promise.allSettled(Array.from({ length: 20 }, () => keys.current()));
    await Promise.allSettled(Array.from({ length: 20 }, () => keys.current()));
    expect(asked).toBe(1);
    await clock.advance(ISSUER_RETRY_MS);
    await expect(keys.current()).rejects.toThrow("answered 500");
    expect(asked).toBe(2);
  });

  it("is asked again for keys that are old", async () => {
    const clock = new ManualClock();
    const published = [await aKey("one")];
    const url = await serve((_request, response) => {
      response.end(JSON.stringify({ keys: published }));
    });
    const keys = keysAt(url, clock);
    const [thumbprint = ""] = (await keys.current()).thumbprintsOf("one");
    published[0] = await aKey("one");
    await clock.advance(ISSUER_KEYS_AGE_MS - 1);
    expect((await keys.current()).has(thumbprint)).toBe(true);
    await clock.advance(1);
    expect((await keys.current()).has(thumbprint)).toBe(false);
  });

  it("may publish keys of kinds that are not known", async () => {
    const known = await aKey("one");
    const url = await serve((_request, response) => {
      response.end(JSON.stringify({ keys: [{ kty: "new", kid: "two" }, known] }));
    });
    const keys = await keysAt(url).current();
    expect(keys.thumbprintsOf("one")).toHaveLength(1);
    expect(keys.thumbprintsOf("two")).toEqual([]);
  });
});
