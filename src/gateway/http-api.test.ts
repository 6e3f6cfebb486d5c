import { describe, expect, it } from "vitest";
import { gatewayApp } from "./http-api.ts";

const FILE = { bytes: new Uint8Array(), etag: '"1"', type: "text/html", encodings: new Map() };

function anApp({ withConsole = true, isClosed = false } = {}) {
  const app = gatewayApp({
    source: { resolve: () => ({ status: "unknown" }), agents: () => [], resources: () => [] },
    refusalOf: () => undefined,
    access: () => undefined,
    isClosed,
    console: withConsole ? ({ page: FILE, assets: new Map() } as never) : undefined,
  });
  return async (method: string, path: string) => {
    const response = await app.request(path, { method }, {});
    return [response.status, response.headers.get("allow")];
  };
}

describe("an address of the gateway that is asked by another method than GET and HEAD", () => {
  it.each(["/", "/ws", "/healthz", "/packs", "/agents/default/bot", "/agents/a/b/sessions/c"])(
    "says which methods %s takes",
    async (path) => {
      const ask = anApp();
      for (const method of ["POST", "PUT", "DELETE", "OPTIONS"]) {
        expect([method, ...(await ask(method, path))]).toEqual([method, 405, "GET, HEAD"]);
      }
    },
  );

  it("is not there where there is nothing, whatever the method", async () => {
    const ask = anApp();
    expect(await ask("POST", "/nothing")).toEqual([404, null]);
    expect(await anApp({ withConsole: false })("POST", "/packs")).toEqual([404, null]);
    expect(await anApp({ withConsole: false, isClosed: true })("POST", "/")).toEqual([404, null]);
  });
});
