/** What every reason of a condition means and what to do about it: a page each, which `omnia explain` and the console lead to. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { CONDITIONS } from "../../src/api/conditions.ts";
import { type Cure, CURES } from "../../src/control/explain/cures.ts";
import * as replicaWords from "../../src/control/replica-words.ts";
import { code, page, table, type Page } from "./markdown.ts";
import { REASON_WORDS } from "./reason-words.ts";

const SOURCE = "src/control/explain/cures.ts";
const TROUBLESHOOTING = join(import.meta.dirname, "../troubleshooting.md");
/** What a message may hold that changes what is to be done. */
const TELLING_WORDS = [
  ...Object.values(replicaWords).toSorted(),
  "(OOMKilled)",
  "exceeded quota: small",
  "must specify limits.cpu",
  "Correct its credential",
  "mcp.command",
  "in allow",
];

type Reasons<T> = Readonly<Record<string, Readonly<Record<string, Readonly<Record<string, T>>>>>>;

interface Place {
  readonly kind: string;
  readonly condition: string;
  readonly reason: string;
}

interface Fault extends Place {
  readonly fault: string;
  readonly message: string;
}

export function conditionPages(): Page[] {
  const faults = knownFaults();
  const places = Object.entries(REASON_WORDS as Reasons<string>).flatMap(([kind, conditions]) =>
    Object.entries(conditions).flatMap(([condition, reasons]) =>
      Object.keys(reasons).map((reason): Place => ({ kind, condition, reason })),
    ),
  );
  return [overview(), ...places.map((place) => reasonPage(place, places, faults))];
}

function overview(): Page {
  const parts = Object.entries(CONDITIONS).flatMap(([kind, conditions]) => [
    `## ${kind}`,
    ...Object.entries(conditions).flatMap(([condition, reasons]) => [
      `### ${kind}: ${condition}`,
      ...(reasons.true.length === 0 ? [] : [`True: ${reasons.true.map(code).join(", ")}.`]),
      table(
        ["not True", "what it means"],
        reasons.notTrue.map((reason: string) => [
          `[${code(reason)}](${pathOf({ kind, condition, reason })})`,
          wordsOf({ kind, condition, reason }),
        ]),
      ),
    ]),
  ]);
  return page("reference/conditions.md", { title: "Conditions", source: "src/api/conditions.ts" }, [
    "Every condition of the three kinds with its reasons. They are the same in a cluster and on one machine, and none is ever renamed. " +
      "`omnia explain` names the one to mend first; [troubleshooting](../troubleshooting.md) begins with what you see.",
    ...parts,
  ]);
}

function reasonPage(place: Place, places: readonly Place[], faults: readonly Fault[]): Page {
  const { kind, condition, reason } = place;
  const known = faults.filter((fault) => isSame(fault, place));
  const others = places.filter(
    (other) => other.kind === kind && other.reason === reason && !isSame(other, place),
  );
  const up = "../../..";
  return page(
    `reference/${pathOf(place)}`,
    { title: `${kind}: ${condition} is not True (${reason})`, source: SOURCE },
    [
      wordsOf(place),
      "## What to do",
      ...cureOf(place),
      ...(known.length === 0
        ? []
        : [
            "## How it comes about",
            table(
              ["what happened", "what the message says"],
              known.map(({ fault, message }) => [fault, code(message)]),
            ),
          ]),
      "## How to see that it is mended",
      `\`omnia explain ${kind.toLowerCase()}/NAME\` names the condition to mend first, with its message, and says that all is well afterwards. ` +
        `In a cluster \`kubectl describe ${kind.toLowerCase()} NAME\` shows the events, too` +
        // It goes when it is mended, and is never True.
        (condition === "Managed"
          ? "."
          : `, and \`kubectl wait --for=condition=${condition} ${kind.toLowerCase()}/NAME\` returns once it holds.`),
      ...(others.length === 0
        ? []
        : [
            `The same reason, of another condition: ${others
              .map((other) => `[${other.condition}](${up}/${pathOf(other)})`)
              .join(", ")}.`,
          ]),
      `All reasons: [conditions](${up}/conditions.md).`,
    ],
  );
}

/** Below docs/reference. */
function pathOf({ kind, condition, reason }: Place): string {
  return `conditions/${[kind, condition, reason].join("/").toLowerCase()}.md`;
}

function wordsOf({ kind, condition, reason }: Place): string {
  return (REASON_WORDS as Reasons<string>)[kind]?.[condition]?.[reason] ?? "";
}

/** One cure, or one for each thing that the message may say. */
function cureOf({ kind, condition, reason }: Place): string[] {
  const cure = (CURES as Reasons<Cure>)[kind]?.[condition]?.[reason] ?? "";
  if (typeof cure === "string") return [cure];
  const field = (...path: string[]): string =>
    path.at(-1) === "enabled" ? "false" : (path.at(-1) ?? "").toUpperCase();
  const usual = cure(field, "");
  const special = TELLING_WORDS.map((words) => [words, cure(field, words)] as const).filter(
    ([, told]) => told !== usual,
  );
  if (special.length === 0) return [usual];
  return [
    table(
      ["the message says", "what to do"],
      [...special.map(([words, told]) => [`… ${code(words)} …`, told]), ["anything else", usual]],
    ),
  ];
}

/** The faults of the page on troubleshooting, each of which a test brings about. */
function knownFaults(): Fault[] {
  return readFileSync(TROUBLESHOOTING, "utf8")
    .split("\n")
    .flatMap((line) => {
      const [fault = "", where = "", , message = ""] = line.replace(/^\| /, "").split(" | ");
      const [, condition, reason] = /^`(\w+)` (\w+)$/.exec(where) ?? [];
      if (condition === undefined || reason === undefined) return [];
      return [{ kind: "AgentRuntime", condition, reason, fault, message }];
    });
}

function isSame(one: Place, other: Place): boolean {
  return (
    one.kind === other.kind && one.condition === other.condition && one.reason === other.reason
  );
}
