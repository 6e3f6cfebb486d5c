/** What becomes of open connections to the agents of `omnia up` when the manifests let fewer people in. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { ChatClient } from "../../support/agent/chat-client.ts";
import { startOmnia } from "../../support/processes/omnia-process.ts";

interface Wanted {
  /** Undefined when nobody has to sign in. */
  readonly keys: Readonly<Record<string, string>> | undefined;
}

function manifests({ keys }: Wanted): string {
  const auth = keys === undefined ? {} : { auth: { apiKeysSecretRef: { name: "clients" } } };
  const agent = {
    apiVersion: "omnia.altairalabs.ai/v1alpha1",
    kind: "AgentRuntime",
    metadata: { name: "keys" },
    spec: { facade: { handler: "echo", ...auth } },
  };
  const secret = {
    apiVersion: "v1",
    kind: "Secret",
    metadata: { name: "clients" },
    stringData: keys ?? { web: "none" },
  };
  return `${JSON.stringify(agent)}\n---\n${JSON.stringify(secret)}\n`;
}

async function startAgent(wanted: Wanted) {
  const folder = await mkdtemp(join(tmpdir(), "omnia-revocation-"));
  const file = join(folder, "agents.yaml");
  await writeFile(file, manifests(wanted));
  const up = startOmnia(["up", "--port", "0", "--state", join(folder, "state"), "-f", file], {
    env: { HOME: folder },
  });
  onTestFinished(async () => {
    await up[Symbol.asyncDispose]();
    await rm(folder, { recursive: true, maxRetries: 5 });
  });
  const [, url = ""] = await up.shows(/Serving at (\S+)/);
  const connect = (key?: string): Promise<ChatClient> =>
    ChatClient.connect(
      `${url.replace("http", "ws")}/ws?agent=keys`,
      key === undefined ? {} : { headers: { "x-api-key": key } },
    );
  const first = Object.values(wanted.keys ?? {})[0];
  await vi.waitFor(async () => (await connect(first)).socket.terminate(), {
    timeout: 60_000,
    interval: 50,
  });
  return { connect, want: (next: Wanted) => writeFile(file, manifests(next)) };
}

describe("a client", () => {
  it("that loses the key to an agent loses the connection, through the gateway too", async () => {
    const { connect, want } = await startAgent({ keys: { web: "first-key", batch: "other-key" } });
    const web = await connect("first-key");
    const batch = await connect("other-key");
    await web.ask("hello");
    await want({ keys: { web: "second-key", batch: "other-key" } });
    expect(await web.closed).toEqual({
      code: 4401,
      reason: "the credential is no longer accepted",
    });
    expect(await batch.ask("hello")).toMatchObject({ content: "hello" });
    expect(await (await connect("second-key")).ask("hello")).toMatchObject({ content: "hello" });
  });

  it("that came without a key loses the connection once one is asked for", async () => {
    const { connect, want } = await startAgent({ keys: undefined });
    const anybody = await connect();
    await anybody.ask("hello");
    await want({ keys: { web: "a-key" } });
    expect(await anybody.closed).toEqual({ code: 4401, reason: "a token is needed now" });
  });
});
