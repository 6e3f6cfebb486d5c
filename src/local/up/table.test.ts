import { describe, expect, it } from "vitest";
import { plainText, rendered } from "../../observability/terminal/line.ts";
import { upTable } from "./table.ts";
import type { AgentView, UpView } from "./view.ts";

const agent = (overrides: Partial<AgentView> = {}): AgentView => ({
  name: "support",
  namespace: "agents",
  phase: "Running",
  ready: "3/3",
  handler: "runtime",
  model: "gpt-4-turbo",
  reason: "",
  ...overrides,
});
const view = (overrides: Partial<UpView> = {}): UpView => ({
  url: "http://localhost:8080",
  agents: [agent()],
  problems: [],
  complaints: [],
  ending: false,
  ...overrides,
});
const draw = (shown: UpView, size = { columns: 80, rows: 24 }): string =>
  upTable(shown, size, "omnia").map(plainText).join("\n");

describe("upTable", () => {
  it("shows the agents, what is wrong, where it serves and what to type next", () => {
    const shown = view({
      agents: [
        agent({
          name: "bot",
          namespace: "default",
          phase: "Pending",
          ready: "0/1",
          reason: "SecretNotFound",
        }),
        agent(),
      ],
      problems: [
        {
          file: "a.yaml",
          line: 3,
          column: 5,
          severity: "error",
          message: "spec.replicas: must be a whole number",
        },
      ],
      complaints: [
        {
          about: "AgentRuntime default/bot",
          condition: "ProviderReady",
          reason: "SecretNotFound",
          message:
            "there is no Secret llm-credentials in namespace default; add it to the files, or set OPENAI_API_KEY",
        },
      ],
    });
    expect(draw(shown)).toMatchInlineSnapshot(`
      "
      AGENT    NAMESPACE  PHASE    READY  HANDLER  MODEL        REASON
      bot      default    Pending  0/1    runtime  gpt-4-turbo  SecretNotFound
      support  agents     Running  3/3    runtime  gpt-4-turbo

      Problems in the files
        a.yaml:3:5: spec.replicas: must be a whole number

      Not as it should be
        AgentRuntime default/bot: ProviderReady: SecretNotFound: there is no Secret
          llm-credentials in namespace default; add it to the files, or set
          OPENAI_API_KEY

      Serving at:  http://localhost:8080
      Talk to it:  omnia chat support -n agents"
    `);
  });

  it("says when there is nothing to run, and when it ends", () => {
    expect(draw(view({ agents: [] }))).toContain("There are no AgentRuntimes in the files.");
    expect(draw(view({ ending: true }))).toContain("Ctrl-C again ends at once");
    expect(draw(view({ ending: true }))).not.toContain("Talk to it");
  });

  it("fits into the terminal, and keeps the last lines", () => {
    const shown = view({
      agents: Array.from({ length: 50 }, (_, index) => agent({ name: `agent-${index}` })),
    });
    const lines = draw(shown, { columns: 30, rows: 10 }).split("\n");
    expect(lines).toHaveLength(9);
    expect(lines.every((line) => line.length <= 30)).toBe(true);
    expect(lines.slice(-3)).toEqual([
      "…",
      "Serving at:  http://localhost…",
      "Talk to it:  omnia chat agent…",
    ]);
  });

  it("gives the terminal nothing to obey", () => {
    const shown = view({ agents: [agent({ model: "evil\u001B[2J\nmodel" })] });
    expect(draw(shown)).toContain("evil\\u{1b}[2J model");
  });

  it("paints the phase", () => {
    const [, , line = ""] = upTable(view(), { columns: 80, rows: 24 }, "omnia");
    expect(rendered(line, (style, text) => `<${style}>${text}</>`)).toBe(
      "support  agents     <green>Running</>  3/3    runtime  gpt-4-turbo",
    );
  });
});
