import { describe, expect, it } from "vitest";
import { aTimeline, BEGIN, iso } from "../../../test/support/builders/a-timeline.ts";
import { sessionMarkdown } from "./session-markdown.ts";

describe("a session as Markdown", () => {
  it("has messages, calls, errors and warnings in their order", () => {
    const timeline = aTimeline(
      [
        {
          turnId: "t1",
          startedAt: iso(0),
          endedAt: iso(2),
          finishReason: "stop",
          warnings: [{ validator: "length", message: "too long" }],
          calls: [{ id: "c", name: "weather", startedAt: iso(0), ms: 412, outcome: "ok" }],
        },
        {
          turnId: "t2",
          startedAt: iso(3),
          endedAt: iso(4),
          error: { code: "PROVIDER_ERROR", message: "it\nfailed" },
        },
      ],
      [
        { role: "user", turnId: "t1", content: "Weather\nin Berlin?" },
        {
          role: "assistant",
          turnId: "t1",
          content: "",
          toolCalls: [{ id: "c", name: "weather", arguments: { city: "Berlin" } }],
        },
        { role: "tool", turnId: "t1", toolCallId: "c", toolName: "weather", result: "``` 18 °C" },
        { role: "assistant", turnId: "t1", content: "It is 18 °C." },
      ],
    );
    expect(sessionMarkdown(timeline, "team/helper", BEGIN)).toBe(`# A title

- Agent: team/helper
- Session: \`session-1\`
- Began: 2026-11-22T10:00:00.000Z
- Last active: 2026-11-22T10:00:00.000Z
- Tokens: 3 in, 4 out

## Turn t1 (2026-11-22T10:00:00.000Z)

**User**

> Weather
> in Berlin?

**Tool weather** (ok, 412 ms)

\`\`\`
{
  "city": "Berlin"
}
\`\`\`

\`\`\`\`
\`\`\` 18 °C
\`\`\`\`

**Agent**

It is 18 °C.

Rule length: too long

## Turn t2 (2026-11-22T10:00:03.000Z)

Failed: PROVIDER_ERROR: it failed
`);
  });
});
