/** The results as JUnit's XML, which CI systems read: a suite for each conversation, a case for each check. */
import type { CheckResult, ConversationResult, EvalRun } from "../run/eval-result.ts";

export interface JUnitOptions {
  /** The name of the whole. */
  readonly name: string;
  /** Evals that nothing here can run are shown as skipped, and not as failed. */
  readonly allowsUnknown: boolean;
}

export function junitReport({ conversations, notRun }: EvalRun, options: JUnitOptions): string {
  const suites = [
    ...conversations.map(suiteOf),
    ...(notRun.length === 0
      ? []
      : [
          suite(
            "evals that are not run",
            0,
            notRun.map(({ id, type, reason, isUnknown }) =>
              testCase({
                suite: "evals that are not run",
                name: `${id} (${type})`,
                kind: isUnknown && options.allowsUnknown ? "skipped" : "error",
                message: reason,
              }),
            ),
          ),
        ]),
  ];
  const total = suites.reduce(add, NONE);
  const seconds = suites.reduce((sum, one) => sum + one.seconds, 0);
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites name="${escaped(options.name)}" ${countsOf(total)} time="${seconds.toFixed(3)}">`,
    ...suites.map(({ xml }) => xml),
    "</testsuites>",
    "",
  ].join("\n");
}

interface Counts {
  readonly tests: number;
  readonly failures: number;
  readonly errors: number;
  readonly skipped: number;
}
interface Case {
  readonly suite: string;
  readonly name: string;
  readonly kind: "passed" | "failure" | "error" | "skipped";
  readonly message: string;
}
interface Written extends Counts {
  readonly xml: string;
}

const NONE: Counts = { tests: 0, failures: 0, errors: 0, skipped: 0 };

function suiteOf({
  id,
  durationMs,
  checks,
  failure,
}: ConversationResult): Written & { seconds: number } {
  const cases = checks.map((check) =>
    testCase({ suite: id, name: nameOf(check), kind: kindOf(check), message: check.message }),
  );
  if (failure !== undefined) {
    cases.push(testCase({ suite: id, name: "conversation", kind: "error", message: failure }));
  }
  return suite(id, durationMs / 1_000, cases);
}

function suite(
  name: string,
  seconds: number,
  cases: readonly Written[],
): Written & { seconds: number } {
  const counts = cases.reduce(add, NONE);
  const xml = [
    `  <testsuite name="${escaped(name)}" ${countsOf(counts)} time="${seconds.toFixed(3)}">`,
    ...cases.map((one) => one.xml),
    "  </testsuite>",
  ].join("\n");
  return { ...counts, xml, seconds };
}

function testCase({ suite, name, kind, message }: Case): Written {
  const head = `    <testcase classname="${escaped(suite)}" name="${escaped(name)}"`;
  const counts = {
    tests: 1,
    failures: kind === "failure" ? 1 : 0,
    errors: kind === "error" ? 1 : 0,
    skipped: kind === "skipped" ? 1 : 0,
  };
  const xml =
    kind === "passed"
      ? `${head}/>`
      : `${head}>\n      <${kind} message="${escaped(message)}"/>\n    </testcase>`;
  return { ...counts, xml };
}

function nameOf({ eval: id, turn }: CheckResult): string {
  return turn === undefined ? id : `turn ${turn}: ${id}`;
}

function kindOf({ outcome }: CheckResult): Case["kind"] {
  return outcome === "failed" ? "failure" : outcome;
}

function add(a: Counts, b: Counts): Counts {
  return {
    tests: a.tests + b.tests,
    failures: a.failures + b.failures,
    errors: a.errors + b.errors,
    skipped: a.skipped + b.skipped,
  };
}

function countsOf({ tests, failures, errors, skipped }: Counts): string {
  return `tests="${tests}" failures="${failures}" errors="${errors}" skipped="${skipped}"`;
}

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&apos;",
  "\n": "&#10;",
  "\r": "&#13;",
  "\t": "&#9;",
};

/** XML has no place for most control characters, and none for half a character, so they become the sign of the unreadable. */
function escaped(text: string): string {
  return text
    .toWellFormed()
    .replaceAll(/[^\t\n\r\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/gu, "\uFFFD")
    .replaceAll(/[&<>"'\n\r\t]/g, (character) => ENTITIES[character] ?? "");
}
