/** What holds of the structure of the program: which part imports which, no circles, and timers in one place. */
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { importsOf, partOf, programFiles } from "./source-modules.ts";

/** Which part may import which, besides itself and `time`. A part that is not listed may not exist. */
export const ALLOWED: Readonly<Record<string, readonly string[]>> = {
  time: [],
  api: [],
  protocol: [],
  kube: [],
  observability: [],
  network: [],
  "http-api": [],
  probes: ["network", "observability"],
  promptpack: ["api"],
  "agent-config": ["api", "promptpack"],
  "tool-servers": ["promptpack", "agent-config", "network", "observability"],
  control: ["api", "network", "promptpack", "agent-config", "tool-servers", "evals"],
  authentication: ["agent-config", "observability"],
  agent: [
    "protocol",
    "promptpack",
    "evals",
    "agent-config",
    "authentication",
    "http-api",
    "network",
    "observability",
    "tool-servers",
  ],
  operator: [
    "api",
    "control",
    "agent-config",
    "promptpack",
    "probes",
    "kube",
    "observability",
    "tool-servers",
  ],
  local: [
    "api",
    "control",
    "agent-config",
    "promptpack",
    "probes",
    "network",
    "observability",
    "tool-servers",
    "http-api",
  ],
  conformance: ["protocol"],
  evals: ["api", "promptpack"],
  gateway: [
    "api",
    "protocol",
    "agent-config",
    "authentication",
    "control",
    "http-api",
    "observability",
  ],
  "gateway-cluster": [
    "api",
    "agent-config",
    "authentication",
    "control",
    "gateway",
    "http-api",
    "kube",
    "observability",
    "operator",
  ],
  console: ["api", "protocol", "http-api"],
  cli: [
    "api",
    "protocol",
    "promptpack",
    "agent-config",
    "control",
    "kube",
    "network",
    "observability",
    "operator",
    "local",
    "agent",
    "gateway",
    "gateway-cluster",
    "http-api",
    "conformance",
    "evals",
    "probes",
    "tool-servers",
  ],
};

/** Suites and tables of tests that stand beside the program, and are imported by tests alone. */
const TEST_FOLDERS = ["src/agent/sessions/contract", "src/api/cases"];
const TIMER = /(?<![\w.])(setTimeout|setInterval)\(/;

type Edges = Map<string, Map<string, string>>;

/** Each violation as a line: `file:line: what is wrong`, or the names of those that form a circle. */
export function brokenHouseRules(root: string): string[] {
  const files = programFiles(root).filter((file) => !TEST_FOLDERS.includes(dirname(file)));
  const imports = files.flatMap((file) =>
    importsOf(file, root)
      .filter(({ target }) => /\.tsx?$/.test(target))
      .map((found) => ({ file, ...found })),
  );
  const crossings = imports.flatMap(({ file, line, target }) => {
    const from = partOf(file);
    const to = partOf(target);
    if (from === undefined || to === undefined || from === to || to === "time") return [];
    return ALLOWED[from]?.includes(to) === true
      ? []
      : [`${file}:${line}: ${from} may not import ${to} (${target})`];
  });
  const betweenFiles: Edges = new Map();
  const betweenFolders: Edges = new Map();
  for (const { file, line, target } of imports) {
    const where = `${file}:${line}`;
    add(betweenFiles, file, target, where);
    if (dirname(file) !== dirname(target)) {
      add(betweenFolders, dirname(file), dirname(target), where);
    }
  }
  return [
    ...crossings,
    ...circlesOf(betweenFiles),
    ...circlesOf(betweenFolders),
    ...timersOutsideOfTime(files, root),
  ];
}

function timersOutsideOfTime(files: readonly string[], root: string): string[] {
  return files
    .filter((file) => partOf(file) !== "time")
    .flatMap((file) =>
      readFileSync(join(root, file), "utf8")
        .split("\n")
        .flatMap((text, index) =>
          TIMER.test(text)
            ? [`${file}:${index + 1}: timers belong to src/time: ${text.trim()}`]
            : [],
        ),
    );
}

function add(edges: Edges, from: string, to: string, where: string): void {
  const targets = edges.get(from) ?? new Map<string, string>();
  if (!targets.has(to)) targets.set(to, where);
  edges.set(from, targets);
}

/** One line for each circle: how it can be walked, and the import of each step. */
function circlesOf(edges: Edges): string[] {
  const circles: string[] = [];
  const done = new Set<string>();
  const walk = (node: string, way: readonly string[]): void => {
    const start = way.indexOf(node);
    if (start >= 0) {
      const circle = [...way.slice(start), node];
      const steps = circle
        .slice(1)
        .map((to, index) => edges.get(circle[index] as string)?.get(to) ?? "");
      circles.push(`a circle of imports: ${circle.join(" → ")} (${steps.join(", ")})`);
      return;
    }
    if (done.has(node)) return;
    for (const to of edges.get(node)?.keys() ?? []) walk(to, [...way, node]);
    done.add(node);
  };
  for (const node of edges.keys()) walk(node, []);
  return circles;
}

if (import.meta.main) {
  const broken = brokenHouseRules(join(import.meta.dirname, "../../.."));
  for (const line of broken) process.stdout.write(`${line}\n`);
  if (broken.length > 0) process.exitCode = 1;
}
