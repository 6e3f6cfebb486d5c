/** `omnia up --host`: what strangers get who reach it, and what its user gets. Only loopback is connected to. */
import { readFile, stat, writeFile } from "node:fs/promises";
import { request as httpRequest, type IncomingMessage } from "node:http";
import { once } from "node:events";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { describe, expect, it } from "vitest";
import { ChatClient } from "../../support/agent/chat-client.ts";
import { folderForAllTests, forAllTests } from "../../support/builders/fixtures.ts";
import { omnia, startOmnia } from "../../support/processes/omnia-process.ts";

const SECRET = "5ecret-in-a-manifest";
const MANIFESTS = `
apiVersion: omnia.altairalabs.ai/v1alpha1
kind: AgentRuntime
metadata:
  name: open
  annotations: {kubectl.kubernetes.io/last-applied-configuration: '{"value":"${SECRET}"}'}
spec:
  facade: {handler: echo}
  env: [{name: API_PASSWORD, value: ${SECRET}}]
  provider: {baseURL: "https://models.example/v1?key=${SECRET}"}
---
apiVersion: omnia.altairalabs.ai/v1alpha1
kind: AgentRuntime
metadata: {name: closed}
spec:
  facade: {handler: echo, auth: {apiKeysSecretRef: {name: client-keys}}}
---
apiVersion: v1
kind: Secret
metadata: {name: client-keys}
stringData: {one: ${SECRET}}
---
apiVersion: omnia.altairalabs.ai/v1alpha1
kind: ToolRegistry
metadata: {name: tools}
spec:
  tools:
    - name: orders
      url: http://127.0.0.1:9/orders?customer=42&key=${SECRET}
      headers: {X-Api-Key: ${SECRET}}
`;

const home = folderForAllTests();
const options = () => ({
  env: { HOME: home(), XDG_STATE_HOME: join(home(), "state"), OMNIA_DEMO_PAUSES: "off" },
  cwd: home(),
});
const run = (...args: string[]) => omnia(args, options());

async function startUp(...args: string[]) {
  await writeFile(join(home(), "agents.yaml"), MANIFESTS);
  const up = startOmnia(["up", "-f", "agents.yaml", "--port", "0", ...args], options());
  const [, url = ""] = await up.shows(/Serving at (http:\S+)/);
  await up.shows(/default\/open: Running/);
  await up.shows(/default\/closed: Running/);
  return { up, url };
}

async function get(
  url: string,
  headers: Record<string, string> = {},
): Promise<{ status: number; headers: IncomingMessage["headers"]; body: string }> {
  const request = httpRequest(url, { agent: false, headers });
  request.end();
  const [response] = (await once(request, "response")) as [IncomingMessage];
  return {
    status: response.statusCode ?? 0,
    headers: response.headers,
    body: await text(response),
  };
}

describe("omnia up on all addresses", () => {
  const exposed = forAllTests(
    async () => {
      const started = await startUp("--host", "0.0.0.0", "--allowed-host", "Agents.Example");
      const [, token = ""] = await started.up.shows(/Authorization: Bearer (\S+)/);
      return { ...started, token };
    },
    ({ up }) => up[Symbol.asyncDispose](),
  );
  const resources = (headers: Record<string, string>) =>
    get(`${exposed().url}/api/v1alpha1/resources`, headers);

  it("prints a token that cannot be guessed, and a page that lets a browser in by it", async () => {
    const { up, url, token } = exposed();
    expect(token).toMatch(/^[\w-]{32,}$/);
    const [, page = ""] = await up.shows(/In a browser open (\S+)/);
    expect(page).toBe(`${url}/#token=${token}`);
    const authorization = `Bearer ${token}`;
    const shown = await get(url, { authorization, accept: "text/html" });
    expect([shown.status, shown.headers["set-cookie"]]).toEqual([200, undefined]);
    const agents = await get(`${url}/api/v1alpha1/agents`, { authorization });
    expect([agents.status, agents.body]).toEqual([200, expect.stringContaining('"name":"open"')]);
  });

  it("tells nobody without the token what runs, and names the cure", async () => {
    for (const path of ["/", "/api/v1alpha1/resources", "/?token=guess"]) {
      const { status, body } = await get(exposed().url + path);
      expect([status, body]).toEqual([401, expect.stringContaining("omnia up printed")]);
      expect(body).not.toContain("closed");
    }
  });

  it("answers to no name but its own and the allowed ones, with the token or without", async () => {
    const authorization = `Bearer ${exposed().token}`;
    expect(await resources({ authorization, host: "rebound.example" })).toMatchObject({
      status: 403,
      body: expect.stringContaining("--allowed-host") as string,
    });
    expect(await resources({ authorization, host: "agents.example" })).toMatchObject({
      status: 200,
    });
  });

  it("shows no value that may be a credential to those with the token", async () => {
    const { body } = await resources({ authorization: `Bearer ${exposed().token}` });
    expect(body).not.toContain(SECRET);
    for (const name of ["API_PASSWORD", "X-Api-Key", "orders?customer=(hidden)&key=(hidden)"]) {
      expect(body).toContain(name);
    }
  });

  it("is known to the commands of its user by its private file", async () => {
    const { url, token } = exposed();
    const [status, json, explained, chat, nobody] = await Promise.all([
      run("status"),
      run("status", "-o", "json"),
      run("explain", "tr/tools"),
      run("chat", "open", "-m", "hello"),
      run("chat", "nobody", "-m", "hello"),
    ]);
    expect(status.out).toMatch(/^default\/open +Running/m);
    expect(explained.out).toContain("key=(hidden)");
    expect(chat).toMatchObject({ code: 0, out: "hello\n" });
    expect(nobody.err).toContain("there are: default/closed, default/open");
    const said = [status, json, explained, chat, nobody]
      .flatMap(({ out, err }) => [out, err])
      .join("\n");
    expect(said).not.toContain(SECRET);
    expect(said).not.toContain(token);
    const file = join(home(), "state", "omnia", new URL(url).port, "up.json");
    expect(JSON.parse(await readFile(file, "utf8"))).toMatchObject({ token });
    expect((await stat(file)).mode & 0o077).toBe(0);
  });

  it("leaves its agents as open as they are, and says which ones anybody may talk to", async () => {
    const { up, url } = exposed();
    const [line] = await up.shows(
      /AgentRuntime default\/open: Authentication: OpenToNetwork: [^\n]+/,
    );
    expect(line).toContain("spec.facade.auth");
    expect(up.out).not.toContain("default/closed: Authentication");
    const client = await ChatClient.connect(`${url.replace("http", "ws")}/ws?agent=open`);
    expect((await client.ask("hi")).content).toBe("hi");
    await expect(
      ChatClient.connect(`${url.replace("http", "ws")}/ws?agent=closed`),
    ).rejects.toThrow("401");
  });
});

describe("omnia up on loopback", () => {
  const local = forAllTests(
    () => startUp(),
    ({ up }) => up[Symbol.asyncDispose](),
  );

  it("wants no token, prints none, and shows no value either", async () => {
    const { up, url } = local();
    const { status, body } = await get(`${url}/api/v1alpha1/resources`);
    expect(status).toBe(200);
    expect(body).toContain("API_PASSWORD");
    expect(body).not.toContain(SECRET);
    expect((await get(url)).status).toBe(200);
    expect(up.out).not.toMatch(/token|OpenToNetwork/);
    expect((await get(url, { host: "rebound.example" })).status).toBe(403);
  });
});

describe("a name that is allowed", () => {
  it("is a host without a port", async () => {
    for (const name of ["agents.example:80", "https://agents.example", "*.example", ""]) {
      const { code, err } = await run("up", "--allowed-host", name);
      expect(code).toBe(2);
      expect(err).toContain("It must be a host name or an address, without a port.");
    }
  });
});
