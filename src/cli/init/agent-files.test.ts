import { mkdtemp } from "node:fs/promises";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { folderForAllTests } from "../../../test/support/builders/fixtures.ts";
import { capturedStreams } from "../../../test/support/processes/captured-streams.ts";
import type { AgentRuntime } from "../../api/agent-runtime.ts";
import type { ConfigMap } from "../../api/fields/core-objects.ts";
import { parseManifests } from "../../api/manifest/manifest.ts";
import { parsePromptPack } from "../../promptpack/check/parse-prompt-pack.ts";
import { validate } from "../validate/validate.ts";
import { agentFiles } from "./agent-files.ts";
import { MODEL_SOURCES, SOURCE_NAMES, type SourceName } from "./model-sources.ts";
import type { InitPlan } from "./plan.ts";
import { writeNewFiles } from "./write-new-files.ts";

const home = folderForAllTests();

function planOf(sourceName: SourceName, changes: Partial<InitPlan> = {}): InitPlan {
  const source = MODEL_SOURCES[sourceName];
  return {
    folder: "support",
    name: "support",
    purpose: undefined,
    source,
    isFallback: false,
    model: source.kind === "handler" ? undefined : "some-model",
    baseURL: source.kind === "local" ? source.baseURL : undefined,
    ...changes,
  };
}

/** The resources of the files, which are as `omnia validate` wants them. */
function resourcesOf(plan: InitPlan): { agent: AgentRuntime; kinds: string[]; prompt: string } {
  const parsed = agentFiles(plan).map(({ name, text }) => parseManifests(text, name));
  expect(parsed.flatMap(({ problems }) => problems)).toEqual([]);
  const resources = parsed.flatMap((file) => file.resources);
  const find = (kind: string): unknown => resources.find((one) => one.kind === kind)?.value;
  const pack = parsePromptPack((find("ConfigMap") as ConfigMap).data?.["pack.yaml"] ?? "");
  if (!pack.ok) throw new Error(pack.message);
  expect(pack.warnings).toEqual([]);
  return {
    agent: find("AgentRuntime") as AgentRuntime,
    kinds: resources.map(({ kind }) => kind),
    prompt: pack.pack.prompts["main"]?.system_template ?? "",
  };
}

describe("the files of a new agent", () => {
  it.each(SOURCE_NAMES)(
    "have nothing that omnia validate finds fault with (%s)",
    async (source) => {
      const folder = await mkdtemp(join(home(), "agent-"));
      const plan = planOf(source, { purpose: "Helps people with our shop." });
      await writeNewFiles(folder, agentFiles(plan));
      const { streams, out } = capturedStreams();
      expect(await validate({ filename: [folder], output: "json" }, streams)).toBe(0);
      const { problems } = JSON.parse(out()) as {
        problems: { severity: string; message: string }[];
      };
      const isKeyNote = ({ severity, message }: (typeof problems)[number]): boolean =>
        severity === "note" && message.includes('Secret "support-model"');
      expect(problems.filter((problem) => !isKeyNote(problem))).toEqual([]);
      expect(problems).toHaveLength(plan.source.kind === "cloud" ? 1 : 0);
      expect(resourcesOf(plan).kinds).toEqual(
        expect.arrayContaining(["AgentRuntime", "PromptPack", "ConfigMap", "ToolRegistry"]),
      );
    },
  );

  it("say what was chosen", () => {
    const plan = planOf("ollama", { model: 'a: "strange" #model', baseURL: "http://gpu:1/v1" });
    const { agent, kinds } = resourcesOf(plan);
    expect(agent.spec.provider).toMatchObject({
      name: "openai",
      model: 'a: "strange" #model',
      baseURL: "http://gpu:1/v1",
    });
    expect(kinds).toContain("Secret");
    expect(resourcesOf(planOf("google")).agent.spec.provider).toMatchObject({
      name: "google",
      model: "some-model",
    });
    expect(resourcesOf(planOf("echo")).agent.spec.facade.handler).toBe("echo");
  });

  it("have a Secret where a server of this machine is asked with OpenAI's protocol", () => {
    const here = planOf("openai", { baseURL: "http://localhost:8000/v1" });
    const elsewhere = planOf("openai", { baseURL: "https://llm.example/v1" });
    expect(resourcesOf(here).kinds).toContain("Secret");
    expect(resourcesOf(elsewhere).kinds).not.toContain("Secret");
  });

  it("have the whole purpose in the prompt, whatever is in it", () => {
    const character = fc.constantFrom(
      ...Array.from("aé日😀 \t\n#:-'\"\\{}[]|>&*!%@`,?=~\u2028\u00a0"),
    );
    const purpose = fc
      .string({ unit: character, maxLength: 60 })
      .map((text) => text.replaceAll(/\{+/g, "{"))
      .filter((text) => text.trim() !== "");
    fc.assert(
      fc.property(purpose, (text) => {
        const { prompt } = resourcesOf(planOf("demo", { purpose: text }));
        const lines = text.trim().split(/[\n\u2028]/);
        expect(prompt).toContain(lines.map((line) => line.trimEnd()).join("\n"));
      }),
    );
  });
});
