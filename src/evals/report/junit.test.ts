import { execFileSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import type { CheckResult, EvalRun } from "../run/eval-result.ts";
import { junitReport } from "./junit.ts";

function aCheck(fields: Partial<CheckResult> = {}): CheckResult {
  return {
    eval: "short",
    type: "max_length",
    turn: 1,
    outcome: "passed",
    score: 1,
    message: "",
    ...fields,
  };
}

const run: EvalRun = {
  conversations: [
    {
      id: "returns",
      failure: undefined,
      turns: 2,
      durationMs: 1_234,
      checks: [
        aCheck(),
        aCheck({ turn: 2, outcome: "failed", message: 'it has "<b>" & \u0001\n\ud800 more' }),
        aCheck({ eval: "tone", turn: undefined, outcome: "skipped", message: "not in the sample" }),
      ],
    },
    { id: "hours", failure: "turn 1: no answer", turns: 0, durationMs: 2, checks: [] },
  ],
  notRun: [{ id: "near", type: "cosine_similarity", reason: "not known", isUnknown: true }],
};

describe("the report in JUnit's XML", () => {
  it("has a suite for each conversation, and a case for each check", () => {
    expect(junitReport(run, { name: "shop 1.0.0", allowsUnknown: false })).toBe(
      `<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="shop 1.0.0" tests="5" failures="1" errors="2" skipped="1" time="1.236">
  <testsuite name="returns" tests="3" failures="1" errors="0" skipped="1" time="1.234">
    <testcase classname="returns" name="turn 1: short"/>
    <testcase classname="returns" name="turn 2: short">
      <failure message="it has &quot;&lt;b&gt;&quot; &amp; \uFFFD&#10;\uFFFD more"/>
    </testcase>
    <testcase classname="returns" name="tone">
      <skipped message="not in the sample"/>
    </testcase>
  </testsuite>
  <testsuite name="hours" tests="1" failures="0" errors="1" skipped="0" time="0.002">
    <testcase classname="hours" name="conversation">
      <error message="turn 1: no answer"/>
    </testcase>
  </testsuite>
  <testsuite name="evals that are not run" tests="1" failures="0" errors="1" skipped="0" time="0.000">
    <testcase classname="evals that are not run" name="near (cosine_similarity)">
      <error message="not known"/>
    </testcase>
  </testsuite>
</testsuites>
`,
    );
  });

  it("skips what is unknown where that is allowed", () => {
    const xml = junitReport(run, { name: "shop", allowsUnknown: true });
    expect(xml).toContain('<skipped message="not known"/>');
    expect(xml).toContain('tests="5" failures="1" errors="1" skipped="2"');
  });

  it("is XML to another parser, whatever is in the texts", () => {
    const anything = Array.from({ length: 0x300 }, (_, code) => String.fromCharCode(code)).join("");
    const messages = [anything, "]]>", "<!--", "&amp;", "\uFFFE\uFFFF", "\u{1F600}", "\udc00"];
    const checks = messages.map((message) => aCheck({ eval: message, outcome: "failed", message }));
    const xml = junitReport(
      {
        conversations: [
          { ...run.conversations[0], id: "a", failure: undefined, turns: 1, durationMs: 0, checks },
        ],
        notRun: [],
      },
      { name: anything, allowsUnknown: false },
    );
    const program =
      "import sys, xml.etree.ElementTree as tree; root = tree.fromstring(sys.stdin.buffer.read()); print(len(root.findall('./testsuite/testcase/failure')))";
    const found = execFileSync("python3", ["-c", program], { input: xml, encoding: "utf8" });
    expect(found.trim()).toBe(String(messages.length));
  });
});
