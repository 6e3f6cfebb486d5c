/** `omnia init` as users run it, and what becomes of the files that it writes. */
import { readdir, readFile, writeFile } from "node:fs/promises";
import type { IncomingMessage, ServerResponse } from "node:http";
import { json } from "node:stream/consumers";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import {
  folderForAllTests,
  folderForEachTest,
  forAllTests,
} from "../../support/builders/fixtures.ts";
import {
  KUBE_API_SERVER_TIMEOUT_MS,
  startKubeAPIServer,
} from "../../support/kubernetes/kube-api-server.ts";
import { installKinds } from "../../support/kubernetes/kube-api-server-kinds.ts";
import { startHttpServer } from "../../support/processes/http-server.ts";
import {
  omnia,
  startOmnia,
  startOmniaAtTerminal,
  type OmniaResult,
} from "../../support/processes/omnia-process.ts";

const home = folderForAllTests();
const folder = folderForEachTest();
/** Where nothing listens. */
const NOWHERE = "127.0.0.1:1";

function environment(more: Record<string, string> = {}): Record<string, string> {
  return {
    HOME: home(),
    XDG_STATE_HOME: join(home(), "state"),
    OLLAMA_HOST: NOWHERE,
    ...more,
  };
}

function run(args: readonly string[], env: Record<string, string> = {}): Promise<OmniaResult> {
  return omnia(args, { cwd: folder(), env: environment(env) });
}

/** A server with OpenAI's protocol, as Ollama has it: two models, one of which answers every question alike. */
function answerAsOllama(bodies: unknown[]) {
  return async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const names = ["nomic-embed-text:latest", "llama3.2:latest", "qwen3:4b"];
    if (request.url === "/api/tags") {
      response.end(JSON.stringify({ models: names.map((name) => ({ name })) }));
      return;
    }
    if (request.url === "/v1/models") {
      response.end(JSON.stringify({ object: "list", data: names.map((id) => ({ id })) }));
      return;
    }
    bodies.push(await json(request));
    response.writeHead(200, { "content-type": "text/event-stream" });
    const delta = (delta: object, reason: string | null): string =>
      `data: ${JSON.stringify({ id: "1", choices: [{ index: 0, delta, finish_reason: reason }] })}\n\n`;
    response.end(
      `${delta({ content: "We open at nine." }, null)}${delta({}, "stop")}data: [DONE]\n\n`,
    );
  };
}

describe("init without a terminal", () => {
  it("takes the model server of this machine, and its files run and answer", async () => {
    const bodies: unknown[] = [];
    await using ollama = await startHttpServer(answerAsOllama(bodies));
    const made = await run(["init", "shop", "--purpose", "Answers questions about our shop."], {
      OLLAMA_HOST: ollama.url,
    });
    expect(made).toMatchObject({ code: 0, err: "" });
    expect(made.out).toMatch(/^shop answers with llama3\.2:latest by Ollama\.$/m);
    expect(made.out).toMatch(/omnia up -f shop$/m);
    expect(made.out).toMatch(/kubectl apply -f shop$/m);
    expect(await run(["validate", "-f", "shop"])).toEqual({
      code: 0,
      err: "",
      out: "5 resources, 0 problems\n",
    });

    const cwd = folder();
    const up = ["up", "-f", "shop", "--port", "0", "--no-open", "--state", join(cwd, "state")];
    await using running = startOmnia(up, { cwd, env: environment() });
    const [, url = ""] = await running.shows(/Serving at (http:\S+)/);
    await running.shows(/default\/shop: Running/);
    const asked = ["chat", "shop", "--url", url.replace("http", "ws"), "-m", "When do you open?"];
    expect(await run(asked)).toEqual({ code: 0, out: "We open at nine.\n", err: "" });
    expect(bodies).toEqual([expect.objectContaining({ model: "llama3.2:latest" })]);
    expect(JSON.stringify(bodies)).toContain("Answers questions about our shop.");
    const status = await run(["status", "--state", join(cwd, "state")]);
    expect(status.out).not.toMatch(/ False /);
  });

  it("takes the demo where there is no model server, and says so", async () => {
    const { code, out, err } = await run(["init"]);
    expect(code).toBe(0);
    expect(err).toMatch(/^No model server answers on this machine .*--provider names another\.$/m);
    expect(out).toMatch(/^assistant answers with canned answers/);
    expect((await readdir(join(folder(), "assistant"))).toSorted()).toEqual([
      "agent.yaml",
      "prompts.yaml",
      "tools.yaml",
    ]);
  });

  it("takes what the flags say", async () => {
    const models = await startHttpServer(answerAsOllama([]));
    await using _server = models;
    const flags = [
      ["cloud", "--provider", "anthropic", "--name", "claude-agent", "--yes"],
      ["here", "--base-url", models.url, "--model", "my-model"],
      ["listed", "--base-url", `${models.url}/v1`],
      ["found", "--provider", "lmstudio", "--base-url", `${models.url}/v1`, "-y"],
    ];
    const told: string[] = [];
    for (const given of flags) {
      const { code, out } = await run(["init", ...given]);
      expect(code).toBe(0);
      told.push(out.split("\n", 1)[0] ?? "");
    }
    expect(told.slice(1)).toEqual([
      `here answers with my-model by the server at ${models.url}.`,
      `listed answers with llama3.2:latest by the server at ${models.url}/v1.`,
      "found answers with llama3.2:latest by LM Studio.",
    ]);
    const agents = await Promise.all(
      flags.map(([name = ""]) => readFile(join(folder(), name, "agent.yaml"), "utf8")),
    );
    expect(agents[0]).toMatch(/name: claude-agent$/m);
    expect(agents[0]).toMatch(/provider:\n +name: anthropic$/m);
    expect(agents[1]).toMatch(/model: my-model$/m);
    expect(agents[2]).toMatch(/model: llama3\.2:latest$/m);
    expect(agents[3]).toContain(`baseURL: ${models.url}/v1\n`);
  });

  it("leads around the port that the model server has", async () => {
    const { out } = await run(["init", "local", "--provider", "llamacpp", "--model", "gpt-oss"]);
    expect(out).toMatch(/omnia up -f local --port 8090$/m);
  });

  it("overwrites nothing", async () => {
    await run(["init", "mine", "--provider", "echo"]);
    const before = await readFile(join(folder(), "mine/agent.yaml"), "utf8");
    await writeFile(join(folder(), "mine/agent.yaml"), `${before}# mine\n`);
    const { code, out, err } = await run(["init", "mine", "--provider", "demo"]);
    expect({ code, out }).toEqual({ code: 1, out: "" });
    expect(err).toBe(
      "omnia: These files are there already: mine/agent.yaml, mine/prompts.yaml, mine/tools.yaml\n" +
        "Name another folder, or move them away. Nothing was written.\n",
    );
    expect(await readFile(join(folder(), "mine/agent.yaml"), "utf8")).toBe(`${before}# mine\n`);
  });

  it("ends with 2, a cure and no file when something is wrong or missing", async () => {
    const wrong = [
      ["--name", "My Agent"],
      ["--provider", "mistral"],
      ["--provider", "ollama"],
      ["--model", "unknown-model"],
      ["--provider", "echo", "--model", "m"],
      ["--base-url", "ftp://example.com"],
      ["--base-url", `http://${NOWHERE}/v1`],
      ["--purpose", "Help {{name}}."],
      ["--purpose", "Ring \u0007 it."],
      ["--purpose", " "],
      ["--provider", "openai", "--model", ""],
    ];
    const results = await Promise.all(wrong.map((flags) => run(["init", "x", ...flags])));
    expect(results.map(({ code, out }) => ({ code, out }))).toEqual(
      wrong.map(() => ({ code: 2, out: "" })),
    );
    expect(results.map(({ err }) => err).join("")).toMatchInlineSnapshot(`
      "omnia: "My Agent" cannot be the name of an agent: it has to begin with a letter, to be of a-z, 0-9 and "-", to end with a letter or digit, and to have at most 63 characters. "my-agent" would do.
      omnia: option '--provider <provider>' argument 'mistral' is invalid. Allowed choices are ollama, llamacpp, lmstudio, openai, anthropic, google, demo, echo.
      Try: omnia init --help
      omnia: http://127.0.0.1:1/v1 lists no models. So there is none to choose.
      Start it (ollama serve), or give --model.
      omnia: No model server of this machine has the model "unknown-model".
      Say with --provider whose model it is.
      omnia: "echo" runs no model: --model and --base-url do not go with it.
      omnia: --base-url has to be an http or https URL without a user, like http://127.0.0.1:8000/v1.
      omnia: http://127.0.0.1:1/v1 lists no models. So there is none to choose.
      Give --model.
      omnia: The purpose has {{ in it, which a template takes for a variable. Put it into prompts.yaml.
      omnia: The purpose has control characters in it.
      omnia: The purpose is empty.
      omnia: The name of a model has 1 to 256 characters, none of them a control character, and no blank around it.
      "
    `);
    expect(await readdir(folder())).toEqual([]);
  });
});

describe("init at a terminal", () => {
  it("asks for what is not given, and once more after an answer that does not do", async () => {
    await using ollama = await startHttpServer(answerAsOllama([]));
    const env = environment({ OLLAMA_HOST: ollama.url });
    await using init = startOmniaAtTerminal(["init"], { cwd: folder(), env });
    await init.shows(/What is the agent for\? \[.*\]: $/);
    init.write("Answers questions about our shop.\n");
    await init.shows(
      /1\) Ollama on this machine: llama3\.2:latest, qwen3:4b\r?\n[^]*What answers\? \[1\]: $/,
    );
    init.write("9\n");
    await init.shows(/Give a number from 1 to \d\.\r?\nWhat answers\? \[1\]: $/);
    init.write("ollama\n");
    await init.shows(/2\) qwen3:4b\r?\nWhich model\? \[1\]: $/);
    init.write("2\n");
    await init.shows(/What is it called\? \[assistant\]: $/);
    init.write("Our Shop\n");
    await init.shows(/"our-shop" would do\.\r?\nWhat is it called\? \[assistant\]: $/);
    init.write("our-shop\n");
    expect(await init.ended).toMatchObject({ code: 0 });
    const agent = await readFile(join(folder(), "our-shop/agent.yaml"), "utf8");
    expect(agent).toMatch(/model: qwen3:4b$/m);
    const prompts = await readFile(join(folder(), "our-shop/prompts.yaml"), "utf8");
    expect(prompts).toContain("Answers questions about our shop.");
  });

  it("takes the defaults for empty answers", async () => {
    await using init = startOmniaAtTerminal(["init", "Shop 2"], {
      cwd: folder(),
      env: environment(),
    });
    await init.shows(/What is the agent for/);
    init.write("\n");
    await init.shows(/\d\) canned answers[^]*What answers\? \[1\]: $/);
    init.write("demo\n");
    await init.shows(/What is it called\? \[shop-2\]: $/);
    init.write("\n");
    expect(await init.ended).toMatchObject({ code: 0 });
    expect(await readFile(join(folder(), "Shop 2/agent.yaml"), "utf8")).toMatch(/name: shop-2$/m);
  });

  it.each([
    ["Ctrl-C", "\u0003", /Interrupted\./],
    ["Ctrl-D", "\u0004", /The input ended before all was asked\. Nothing was written\./],
  ])("writes nothing after %s", async (_name, key, message) => {
    await using init = startOmniaAtTerminal(["init"], { cwd: folder(), env: environment() });
    await init.shows(/What is the agent for/);
    init.write(key);
    const { code, out } = await init.ended;
    // The shell between the terminal and the program is interrupted, too, and then has a code of its own.
    expect(code).toBeGreaterThan(0);
    expect(out).toMatch(message);
    expect(await readdir(folder())).toEqual([]);
  });

  it("asks nothing with --yes", async () => {
    await using init = startOmniaAtTerminal(["init", "--yes", "--provider", "echo"], {
      cwd: folder(),
      env: environment(),
    });
    expect(await init.ended).toMatchObject({ code: 0 });
    expect(init.out).not.toContain("?");
  });
});

describe("the files of init in a cluster", () => {
  const server = forAllTests(
    async () => {
      const server = await startKubeAPIServer();
      await installKinds(server);
      return server;
    },
    (server) => server.stop(),
    KUBE_API_SERVER_TIMEOUT_MS,
  );

  it("are taken as they are", async () => {
    for (const provider of ["ollama", "openai", "google", "demo", "echo"]) {
      const model = ["demo", "echo"].includes(provider) ? [] : ["--model", "some:model"];
      const flags = ["--provider", provider, ...model, "--purpose", 'Helps: "people" # with all.'];
      expect(await run(["init", provider, ...flags])).toMatchObject({ code: 0 });
      const apply = ["apply", "--validate=strict", "-o", "name", "-f"];
      const applied = await server().kubectl([...apply, join(folder(), provider)]);
      expect(applied.trim().split("\n")).toEqual(
        expect.arrayContaining([
          `agentruntime.omnia.altairalabs.ai/${provider}`,
          `promptpack.omnia.altairalabs.ai/${provider}-prompts`,
          `configmap/${provider}-prompts`,
          `toolregistry.omnia.altairalabs.ai/${provider}-tools`,
        ]),
      );
    }
  });
});
