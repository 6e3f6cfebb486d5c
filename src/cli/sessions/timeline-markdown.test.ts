import { describe, expect, it } from "vitest";
import { aTimeline } from "../../../test/support/builders/a-session-timeline.ts";
import type { TurnView } from "../../http-api/session-views.ts";
import { timelineMarkdown } from "./timeline-markdown.ts";

const AGENT = { namespace: "agents", name: "support" };

describe("a session as Markdown", () => {
  it("is a document with a heading for each turn", () => {
    expect(timelineMarkdown(AGENT, aTimeline())).toMatchInlineSnapshot(`
      "# What is the weather?

      - Session: \`session-1\`
      - Agent: \`agents/support\`
      - State: idle
      - Turns: 1, with 1 tool call
      - Tokens: 1,200 in, 56 out
      - Version: \`0123456789ab\`
      - Begun: 2026-03-01T12:00:00.000Z
      - Last active: 2026-03-01T12:00:02.500Z

      ## Turn 1, 2026-03-01T12:00:00.000Z

      **User**

      \`\`\`markdown
      What is the weather?
      In Oslo.
      \`\`\`

      **Tool** \`get-weather\`, 412 ms, ok

      \`\`\`json
      {
        "city": "Oslo"
      }
      \`\`\`

      \`\`\`json
      {
        "degrees": 21
      }
      \`\`\`

      **Agent**

      \`\`\`markdown
      21 degrees.
      \`\`\`

      *2.5 s · gpt-4o · replica-1 · 1,200 \\+ 56 tokens · stop*
      "
    `);
  });

  it("has the costs, where they are known", () => {
    const [turn] = aTimeline().turns;
    const cost = { amount: 0.00356, currency: "USD" };
    const document = timelineMarkdown(
      AGENT,
      aTimeline({
        session: { cost },
        turns: [{ ...(turn as TurnView), usage: { input_tokens: 1_200, output_tokens: 56, cost } }],
      }),
    );
    expect(document).toContain("- Tokens: 1,200 in, 56 out\n- Cost: 0.00356 USD\n");
    expect(document).toContain(String.raw`1,200 \+ 56 tokens · 0.00356 USD · stop*`);
  });

  it("has what was said in blocks of code, so that nothing of it becomes a part of the document", () => {
    const hostile = "# Title\r\n```\n---\r<img src=x onerror=alert(1)>\u2028# Other";
    const document = timelineMarkdown(
      AGENT,
      aTimeline({
        session: { title: "# [x](javascript:1) <b>" },
        messages: [
          { role: "user", turnId: "turn-1", content: hostile },
          {
            role: "assistant",
            turnId: "turn-1",
            content: "",
            toolCalls: [
              { id: "call-1", name: "a`b``c", arguments: { text: "```\n````json\n# No" } },
            ],
          },
        ],
      }),
    );
    const outside = document.replaceAll(/^(`{3,})\w+\n.*?\n\1$/gms, "");
    expect(outside).not.toMatch(/<img|# Other|# No/);
    expect(outside.match(/^#.*$/gm)).toEqual([
      String.raw`# \# \[x\]\(javascript:1\) \<b\>`,
      "## Turn 1, 2026-03-01T12:00:00.000Z",
    ]);
    expect(document).toContain("````markdown\n# Title");
    expect(document).toContain("``` a`b``c ```");
    expect(document).toContain('`````json\n{\n  "text"');
  });
});
