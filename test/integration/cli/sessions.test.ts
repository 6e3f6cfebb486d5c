/** `omnia sessions` and `omnia console` with an `omnia up`: what people see of the sessions of its agents, and what they can do. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { sessionTimelineSchema } from "../../../src/http-api/session-views.ts";
import { ChatClient } from "../../support/agent/chat-client.ts";
import { folderForAllTests, forAllTests } from "../../support/builders/fixtures.ts";
import {
  omnia,
  printedJSON,
  startOmnia,
  startOmniaAtTerminal,
} from "../../support/processes/omnia-process.ts";

const MANIFESTS = `
apiVersion: omnia.altairalabs.ai/v1alpha1
kind: AgentRuntime
metadata: {name: demo}
spec: {replicas: 2, facade: {handler: demo}}
---
apiVersion: omnia.altairalabs.ai/v1alpha1
kind: AgentRuntime
metadata: {name: echo, namespace: other}
spec: {facade: {handler: echo}}
`;

const home = folderForAllTests();
const options = () => ({
  env: { HOME: home(), XDG_STATE_HOME: join(home(), "state"), OMNIA_DEMO_PAUSES: "off" },
  cwd: home(),
});
const up = forAllTests(
  async () => {
    await writeFile(join(home(), "agents.yaml"), MANIFESTS);
    return startOmnia(["up", "-f", "agents.yaml", "--port", "0", "--no-open"], options());
  },
  (up) => up[Symbol.asyncDispose](),
);
const url = forAllTests(async () => {
  const [, found = ""] = await up().shows(/Serving at (http:\S+)/);
  await up().shows(/default\/demo: Running, 2\/2/);
  await up().shows(/other\/echo: Running/);
  return found;
});

const sessions = (...args: string[]) => omnia(["sessions", ...args], options());

/** Has a turn in a session of its own. */
async function talk(content: string, agent = "agent=demo"): Promise<string> {
  const atTheEnd = (): void => {};
  const address = `${url().replace("http", "ws")}/ws?${agent}`;
  const client = await ChatClient.connect(address, { atTheEnd });
  const { session_id: id } = await client.nextOf("connected");
  client.say(content);
  await client.nextOf("done");
  client.socket.close();
  return id;
}

async function ids(): Promise<string[]> {
  const { items } = printedJSON(await sessions("ls", "demo", "-o", "json")) as {
    items: { id: string }[];
  };
  return items.map(({ id }) => id);
}

const first = forAllTests(() => talk("What is the weather in Paris?"));

describe("omnia sessions", () => {
  it("lists the sessions of all replicas of an agent, the one that was used last first", async () => {
    const later = await talk("hello\u001b[31m");
    const { code, out, err } = await sessions("ls", "demo");
    expect([code, err]).toEqual([0, ""]);
    const lines = out.trimEnd().split("\n");
    expect(lines[0]).toBe(`omnia up at ${url()}`);
    expect(lines[2]).toMatch(
      /^SESSION +LAST ACTIVE \(UTC\) +STATE +TURNS +TOOLS +TOKENS +VERSION +TITLE$/,
    );
    expect(lines[3]).toMatch(new RegExp(`^${later} .* idle +1 +0 +0 +- +hello`));
    expect(lines[4]).toMatch(new RegExp(`^${first()} .* idle +1 +1 +0 +- +What is the weather`));
    expect(out).not.toContain("\u001b");
    const one = await sessions("ls", "default/demo", "--limit", "1");
    expect(one.out).toContain("There are more: --limit shows them.");
    expect(one.out).not.toContain(first());
    const failed = await sessions("ls", "demo", "--state", "failed");
    expect(failed.out).toContain("Agent default/demo has no session that is failed.");
  });

  it("shows one turn by turn, whichever agent has it", async () => {
    const { code, out } = await sessions("show", first());
    expect(code).toBe(0);
    for (const part of [
      `${first()} of agent default/demo`,
      "idle · 1 turn · 1 tool call · 0 + 0 tokens",
      '  weather {"location":"Paris"}',
      "  user\n    What is the weather in Paris?",
      "replica-",
      " · stop",
    ]) {
      expect(out).toContain(part);
    }
    const json = printedJSON(await sessions("show", first(), "-o", "json")) as object;
    expect(sessionTimelineSchema.parse(json).session.id).toBe(first());
    const other = await talk("hi", "agent=echo&namespace=other");
    expect((await sessions("show", other)).out).toContain("of agent other/echo");
    expect((await sessions("show", other, "-n", "default")).code).toBe(1);
  });

  it("exports one as JSON and as Markdown", async () => {
    const json = printedJSON(await sessions("export", first())) as object;
    expect(sessionTimelineSchema.parse(json).messages).toHaveLength(4);
    const { out } = await sessions("export", first(), "--format", "markdown");
    expect(out).toMatch(/^# What is the weather in Paris\?\n\n- Session: /);
  });

  it("deletes those that are named, once it was told to", async () => {
    const [one, two] = [await talk("one"), await talk("two")];
    const refused = await sessions("delete", one);
    expect([refused.code, refused.err]).toEqual([2, expect.stringContaining("Give --yes")]);
    await using asking = startOmniaAtTerminal(["sessions", "delete", one], options());
    await asking.shows(/1 turn, "one"[^]*Delete this session, with all that was said\? \[y\/N\]/);
    asking.write("n\n");
    expect(await asking.ended).toMatchObject({ code: 1 });
    expect(await ids()).toEqual(expect.arrayContaining([one, two]));
    await using confirmed = startOmniaAtTerminal(["sessions", "delete", one], options());
    await confirmed.shows(/\[y\/N\]/);
    confirmed.write("y\n");
    expect(await confirmed.ended).toMatchObject({ code: 0 });
    // None is deleted unless all are there.
    const mixed = await sessions("delete", two, one, "--yes");
    expect([mixed.code, mixed.err]).toEqual([1, expect.stringContaining(`a session ${one}`)]);
    expect(await ids()).toContain(two);
    const deleted = await sessions("delete", two, "--yes", "-o", "json");
    expect([deleted.code, printedJSON(deleted)]).toEqual([0, { deleted: [two] }]);
    expect(await ids()).not.toContain(two);
  });

  it.each<[string, string[], number, RegExp]>([
    [
      "an agent that is not there",
      ["ls", "dmeo"],
      1,
      /no agent called dmeo.*\nDid you mean demo\?/,
    ],
    ["a name that is none", ["ls", "a/b/c"], 2, /names no agent/],
    ["a session that is not there", ["show", "nothing"], 1, /No agent has a session nothing/],
    [
      "a session of another agent",
      ["show", "nothing", "--agent", "demo"],
      1,
      /default\/demo has no session/,
    ],
    [
      "an id that could lead elsewhere",
      ["show", "../../me", "--agent", "demo"],
      1,
      /no id of a session/,
    ],
    ["a state that is none", ["ls", "demo", "--state", "well"], 2, /Allowed choices/],
    ["an address that is none", ["ls", "demo", "--url", "ftp://x"], 2, /no address of a gateway/],
    [
      "an address where nothing is",
      ["ls", "demo", "--url", "http://127.0.0.1:9"],
      1,
      /cannot be asked/,
    ],
  ])("says what is wrong: %s", async (_says, args, code, says) => {
    const result = await sessions(...args);
    expect(result.err).toMatch(says);
    expect(result.code).toBe(code);
  });

  it("asks the gateway at an address", async () => {
    const { out } = await sessions("ls", "demo", "--url", url());
    expect(out).toContain(`the gateway at ${url()}`);
    expect(out).toContain(first());
  });
});

describe("omnia console", () => {
  it("says where the console of an omnia up is", async () => {
    expect((await omnia(["console"], options())).out).toBe(`${url()}\n`);
    const json = await omnia(["console", "-o", "json"], options());
    expect(printedJSON(json)).toEqual({ url: url() });
  });

  it("says how to get one where nothing runs", async () => {
    const { code, err } = await omnia(["console", "--state", "nowhere"], options());
    expect([code, err]).toEqual([1, expect.stringContaining("No omnia up runs")]);
  });
});
