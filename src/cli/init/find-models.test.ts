import { once } from "node:events";
import type { ServerResponse } from "node:http";
import { describe, expect, it } from "vitest";
import { ManualClock } from "../../../test/support/builders/manual-clock.ts";
import { rejectionOf } from "../../../test/support/builders/rejection-of.ts";
import { startHttpServer } from "../../../test/support/processes/http-server.ts";
import { systemClock } from "../../time/clock.ts";
import { findLocalServers, listModels, localBaseURL } from "./find-models.ts";

const search = { signal: new AbortController().signal, clock: systemClock };

/** What `listModels` makes of an answer to `GET /v1/models`. */
async function modelsOf(answer: (response: ServerResponse) => void): Promise<readonly string[]> {
  await using server = await startHttpServer((request, response) => {
    if (request.url === "/v1/models") answer(response);
    else response.writeHead(404).end();
  });
  return (await listModels(`${server.url}/v1/`, search)).models;
}

const list = (...ids: unknown[]): string => JSON.stringify({ data: ids.map((id) => ({ id })) });

describe("the models of a server", () => {
  it("are those that it lists, without those that answer nothing", async () => {
    const names = ["llama3.2:latest", "nomic-embed-text", "qwen", "qwen", "bge-m3-GGUF"];
    expect(await modelsOf((response) => response.end(list(...names)))).toEqual([
      "llama3.2:latest",
      "qwen",
    ]);
  });

  it("are asked for in Ollama's own way first", async () => {
    const tags = JSON.stringify({ models: [{ name: "qwen3:4b", size: 1 }] });
    await using server = await startHttpServer((request, response) => {
      if (request.url === "/api/tags") response.end(tags);
      else response.writeHead(404).end();
    });
    expect((await listModels(`${server.url}/v1`, search, "ollama")).models).toEqual(["qwen3:4b"]);
    expect((await listModels(`${server.url}/v1`, search, "lmstudio")).models).toEqual([]);
  });

  it("are found where the URL has no path, too", async () => {
    await using server = await startHttpServer((request, response) => {
      response.end(request.url === "/v1/models" ? list("qwen") : "");
    });
    expect((await listModels(server.url, search)).models).toEqual(["qwen"]);
  });

  it.each<[string, (response: ServerResponse) => void]>([
    ["no list", (response) => response.end('{"models": "none"}')],
    ["no JSON", (response) => response.end("<html>")],
    ["a name that is none", (response) => response.end(list(7))],
    ["a refusal", (response) => response.writeHead(401).end(list("qwen"))],
    [
      "a redirect",
      (response) => response.writeHead(302, { location: "http://127.0.0.1:1/" }).end(),
    ],
    ["a list without an end", (response) => response.end(`"${"x".repeat(2 * 1024 * 1024)}"`)],
    ["a connection that breaks", (response) => response.destroy()],
  ])("are none when there is %s", async (_name, answer) => {
    expect(await modelsOf(answer)).toEqual([]);
  });

  it("are none where nothing listens, or where no answer comes", async () => {
    expect((await listModels("http://127.0.0.1:1/v1", search)).models).toEqual([]);
    const clock = new ManualClock();
    const asked = Promise.withResolvers<void>();
    await using silent = await startHttpServer(() => asked.resolve());
    const models = listModels(silent.url, { ...search, clock });
    await asked.promise;
    await clock.advance(2_000);
    expect(await models).toEqual({ models: [], wantsKey: false });
  });

  it("may be told to those with a key only", async () => {
    await using server = await startHttpServer((_request, response) => {
      response.writeHead(401).end(list("qwen"));
    });
    expect(await listModels(server.url, search)).toEqual({ models: [], wantsKey: true });
  });

  it("are no longer waited for when the search is given up", async () => {
    const asked = Promise.withResolvers<ServerResponse>();
    await using silent = await startHttpServer((_request, response) => asked.resolve(response));
    const giveUp = new AbortController();
    const models = rejectionOf(listModels(silent.url, { ...search, signal: giveUp.signal }));
    const response = await asked.promise;
    const closed = once(response, "close");
    giveUp.abort(new Error("Interrupted."));
    expect(await models).toMatchObject({ message: "Interrupted." });
    await closed;
  });
});

describe("a server of this machine", () => {
  it("is found by its own variable, and left out without a model", async () => {
    await using ollama = await startHttpServer((_request, response) => {
      response.end(list("llama3.2:latest"));
    });
    const found = await findLocalServers({ OLLAMA_HOST: ollama.url.slice(7) }, search);
    expect(found).toContainEqual({
      source: "ollama",
      baseURL: `${ollama.url}/v1`,
      models: ["llama3.2:latest"],
    });
    await using empty = await startHttpServer((_request, response) => void response.end(list()));
    const none = await findLocalServers({ OLLAMA_HOST: empty.url }, search);
    expect(none.filter(({ source }) => source === "ollama")).toEqual([]);
  });

  it.each([
    ["", "http://127.0.0.1:11434/v1"],
    ["0.0.0.0", "http://127.0.0.1:11434/v1"],
    ["0.0.0.0:9000", "http://127.0.0.1:9000/v1"],
    ["[::]:9000", "http://127.0.0.1:9000/v1"],
    ["gpu.example", "http://gpu.example:11434/v1"],
    ["https://gpu.example/", "https://gpu.example/v1"],
    ["ftp://gpu.example", "http://127.0.0.1:11434/v1"],
    ["::nothing::", "http://127.0.0.1:11434/v1"],
  ])("is looked for where OLLAMA_HOST=%s says", (host, url) => {
    expect(localBaseURL("ollama", { OLLAMA_HOST: host })).toBe(url);
    expect(localBaseURL("lmstudio", { OLLAMA_HOST: host })).toBe("http://127.0.0.1:1234/v1");
  });
});
