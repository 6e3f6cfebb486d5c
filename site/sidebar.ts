/** Which pages the website has, and in which order: every page of docs/ stands here once. */

export interface Group {
  readonly label: string;
  /** Paths of Markdown files below docs/; those of a folder where it ends in a slash. */
  readonly pages: readonly (string | Group)[];
}

export const SIDEBAR: readonly Group[] = [
  {
    label: "Start",
    pages: ["first-answer.md", "first-tool.md", "into-a-cluster.md"],
  },
  {
    label: "How to",
    pages: [
      "one-machine.md",
      "console.md",
      "cluster.md",
      "providers.md",
      "ollama.md",
      "tools.md",
      "promptpacks.md",
      "evals.md",
      "redis.md",
      "canary.md",
      "autoscaling.md",
      "secrets.md",
      "authentication.md",
      "approval.md",
      "runtimes.md",
      "sizing.md",
      "budgets.md",
      "backup.md",
      "upgrade.md",
      "two-operators.md",
      "migrate.md",
      "observability.md",
      "troubleshooting.md",
    ],
  },
  {
    label: "Reference",
    pages: [
      "command-line.md",
      "reference/commands.md",
      { label: "Kinds", pages: ["reference/kinds/"] },
      "reference/conditions.md",
      { label: "Reasons", pages: ["reference/conditions/"] },
      "protocol.md",
      "reference/frames.md",
      "http-api.md",
      "limits.md",
      "reference/limits.md",
      "reference/metrics.md",
      "reference/chart-values.md",
      "glossary.md",
    ],
  },
  {
    label: "Explanation",
    pages: [
      "architecture.md",
      "sessions.md",
      "security.md",
      "operator-rights.md",
      "rules.md",
      { label: "Decisions", pages: ["decisions/"] },
    ],
  },
];
