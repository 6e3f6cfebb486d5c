import { describe, expect, it } from "vitest";
import { aParsedPack, aPrompt } from "../../../test/support/builders/a-pack.ts";
import { notRunRemark, partsNotRun, readNotRunRemark } from "./parts-not-run.ts";

const names = (fields: Record<string, unknown>): string[] =>
  partsNotRun(aParsedPack(fields)).map(({ name }) => name);
const inPrompt = (fields: Record<string, unknown>): string[] =>
  names({ prompts: { support: aPrompt(fields) } });

describe("what a pack says and is not run", () => {
  it("is nothing for a pack of prompts and tools", () => {
    expect(names({ fragments: { a: "b" }, metadata: { domain: "x" } })).toEqual([]);
  });

  it("is named for the whole pack", () => {
    const states = { s: { prompt_task: "support", artifacts: { plan: { type: "text" } } } };
    expect(
      names({
        workflow: { version: 1, entry: "s", states },
        skills: ["./skills"],
        evals: [{ id: "e", type: "contains", trigger: "every_turn" }],
      }),
    ).toEqual(["evals", "workflow.states.s.artifacts", "skills[0]"]);
  });

  it("names a skill that is not there, and says where it is looked for", () => {
    const written = { name: "refunds", description: "How to refund", instructions: "Pay." };
    const [path, scoped, ...more] = partsNotRun(
      aParsedPack({ skills: ["./skills/billing", { path: "@acme/fees" }, written] }),
    );
    expect([path?.name, scoped?.name, more]).toEqual(["skills[0]", "skills[1]", []]);
    expect(path?.message).toContain('under the key "skills.billing.SKILL.md"');
    expect(scoped?.message).toContain("an agent reads no packages");
  });

  it("names states that nothing moves a session out of", () => {
    const prompts = { support: aPrompt(), mute: aPrompt({ tool_policy: { tool_choice: "none" } }) };
    const to = (prompt_task: string, more: object = {}) => ({
      prompt_task,
      on_event: { Done: "end" },
      ...more,
    });
    const states = {
      a: to("support", { orchestration: "external" }),
      b: to("mute"),
      c: to("support", { orchestration: "hybrid" }),
      end: { prompt_task: "support", orchestration: "external" },
    };
    expect(names({ prompts, workflow: { version: 1, entry: "a", states } })).toEqual([
      "workflow.states.a.orchestration",
      "workflow.states.b.on_event",
    ]);
  });

  it.each([
    [{ tool_choice: "none" }, "prompts.support.tool_policy.tool_choice"],
    [{ blocklist: ["load_skill"] }, "prompts.support.tool_policy.blocklist"],
  ])("names a policy of tools that keeps skills from being loaded: %j", (policy, name) => {
    const skills = [{ name: "refunds", description: "How to refund", instructions: "Pay." }];
    const prompts = { support: aPrompt({ tool_policy: policy }) };
    expect(names({ skills, prompts })).toEqual([name]);
    expect(names({ prompts })).toEqual([]);
  });

  it("is named for each prompt, with the prompt that it belongs to", () => {
    const fields = { pipeline: { stages: ["a"] }, media: { enabled: true } };
    const pack = aParsedPack({
      prompts: { first: aPrompt(fields), second: aPrompt({ id: "second" }) },
    });
    expect(partsNotRun(pack).map(({ name, prompt }) => [name, prompt])).toEqual([
      ["prompts.first.pipeline", "first"],
      ["prompts.first.media", "first"],
    ]);
  });

  it("leaves out what is switched off or empty", () => {
    const off = { id: "e", type: "contains", trigger: "every_turn", enabled: false };
    expect(inPrompt({ evals: [off], media: { enabled: false } })).toEqual([]);
    expect(inPrompt({ evals: [] })).toEqual([]);
    expect(inPrompt({ evals: [off, { ...off, id: "f", enabled: true }] })).toEqual([
      "prompts.support.evals",
    ]);
  });

  it.each([
    [{ kind: "session", field: "session_id", auto_populate: true }, []],
    [{ kind: "date", auto_populate: true }, []],
    [{ kind: "env", field: "HOME", auto_populate: true }, ["env, field HOME is not known here"]],
    [{ kind: "context", field: "mood", auto_populate: true }, ["context, field mood is not known"]],
    [{ kind: "context", field: "constructor", auto_populate: true }, ["is not known here"]],
    [{ kind: "env", field: "HOME" }, []],
    [
      { kind: "session", field: "user_id", auto_populate: true, filter: "rot13" },
      ["without its filter"],
    ],
  ])("names the binding %j: %j", (binding, expected) => {
    const variables = [{ name: "who", type: "string", binding }];
    const parts = partsNotRun(aParsedPack({ prompts: { support: aPrompt({ variables }) } }));
    expect(parts).toHaveLength(expected.length);
    expect(parts.map(({ message }) => message).join()).toContain(expected.join());
  });

  it.each([
    [{ type: "mood" }, '"mood" is not known here'],
    [{ type: "banned_words", fail_on_violation: true }, "params needs words"],
    [{ type: "banned_words", params: { words: "one" } }, "params needs words"],
    [{ type: "max_length" }, "max_characters or max_tokens"],
    [{ type: "max_length", params: { max_characters: "many" } }, "max_characters or max_tokens"],
    [{ type: "pii_detection", params: { types: ["email", "dna"] } }, "may have email, phone"],
    [{ type: "regex_match", params: { pattern: "a", direction: "up" } }, "input, output or both"],
    [{ type: "max_sentences", params: { max_sentences: 2, retry: 99 } }, "retry from 0 to 5"],
  ])("names the validator %j, which cannot be run: %s", (validator, message) => {
    const pack = aParsedPack({ prompts: { support: aPrompt({ validators: [validator] }) } });
    const [found, ...more] = partsNotRun(pack);
    expect(found?.name).toBe("prompts.support.validators[0]");
    expect(found?.message).toContain(message);
    expect(more).toEqual([]);
  });

  it.each([
    [{ banned_words: ["competitor"], max_length: 500, pii_detection: true }],
    [
      [
        { type: "length", params: { max: 3 } },
        { type: "max_length", params: { max_tokens: 9 } },
      ],
    ],
    [[{ type: "mood", enabled: false }]],
  ])("leaves out validators that are run, in any form, or switched off: %j", (validators) => {
    expect(inPrompt({ validators })).toEqual([]);
  });

  it("is one remark at the end of a message, which can be read again", () => {
    const parts = Array.from({ length: 12 }, (_, index) => ({ name: `part${index}` }));
    expect(notRunRemark([])).toBe("");
    expect(readNotRunRemark("All is there")).toBeUndefined();
    expect(readNotRunRemark(`All is there${notRunRemark(parts.slice(0, 2))}`)).toBe("part0, part1");
    expect(notRunRemark(parts)).toContain("part9, and 2 more");
  });
});
