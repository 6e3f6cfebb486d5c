import { Worker } from "node:worker_threads";
import { describe, expect, it, onTestFinished } from "vitest";
import { ManualClock } from "../../../test/support/builders/manual-clock.ts";
import { rejectionOf } from "../../../test/support/builders/rejection-of.ts";
import { parseManifests, type Manifests } from "../../api/manifest/manifest.ts";
import {
  MAX_INLINE_CHARACTERS,
  ManifestParser,
  type ManifestParserOptions,
  PARSE_TIMEOUT_MS,
} from "./manifest-parser.ts";

const configMap = (name: string, value = "x"): string =>
  `# a comment\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: ${name}\ndata: {a: ${value}}\n`;
const large = (name: string): string => configMap(name, "x".repeat(MAX_INLINE_CHARACTERS));

function setUp(options: Partial<ManifestParserOptions> = {}) {
  const clock = new ManualClock();
  const ending = new AbortController();
  const parser = new ManifestParser({ clock, signal: ending.signal, ...options });
  onTestFinished(() => parser.rest());
  return { clock, ending, parser };
}

/** A thread that runs `code` in place of parsing. */
function threadThat(code: string): () => Worker {
  return () => new Worker(code, { eval: true });
}

const NEVER_ANSWERING = threadThat(
  `require("node:worker_threads").parentPort.on("message", () => {})`,
);

function comparable({ resources, ...rest }: Manifests) {
  return {
    ...rest,
    resources: resources.map(({ positionOf, ...resource }) => ({
      ...resource,
      positions: [positionOf([]), positionOf(["metadata", "name"])],
    })),
  };
}

describe("a ManifestParser", () => {
  it("answers as parseManifests does, for small texts and for large ones", async () => {
    const { parser } = setUp();
    for (const text of [
      configMap("a"),
      large("a"),
      `${large("a")}---\n${configMap("b")}`,
      `${large("a")}}`,
    ]) {
      const parsed = await parser.parse(text, "a.yaml");
      expect(comparable(parsed)).toEqual(comparable(parseManifests(text, "a.yaml")));
    }
  });

  it("lets the event loop go on while it parses a large text", async () => {
    const { parser } = setUp();
    let turns = 0;
    const count = (): void => {
      turns += 1;
      next = setImmediate(count);
    };
    let next = setImmediate(count);
    const { problems } = await parser.parse(`a: [${"1,".repeat(100_000)}]`, "a.yaml");
    clearImmediate(next);
    expect(problems).toHaveLength(2);
    expect(turns).toBeGreaterThan(100);
  });

  it("gives up a text that takes too long, and reads the next in another thread", async () => {
    const threads = [NEVER_ANSWERING, undefined];
    const { clock, parser } = setUp({
      startThread: () =>
        threads.shift()?.() ?? new Worker(new URL("./manifest-thread.ts", import.meta.url)),
    });
    const parsing = parser.parse(large("a"), "a.yaml");
    await clock.advance(PARSE_TIMEOUT_MS);
    expect((await parsing).problems).toEqual([
      {
        file: "a.yaml",
        line: 1,
        column: 1,
        severity: "error",
        message: "the file takes longer than 30 seconds to read; split it",
      },
    ]);
    expect((await parser.parse(large("b"), "b.yaml")).resources).toHaveLength(1);
    expect(clock.pendingTimers).toBe(0);
  });

  it("refuses a text that needs more memory than there is for it", async () => {
    const { parser } = setUp({
      startThread: () =>
        new Worker(
          `require("node:worker_threads").parentPort.on("message", () => { const all = []; for (;;) all.push(Array(1e5).fill(all.length)); })`,
          { eval: true, resourceLimits: { maxOldGenerationSizeMb: 8 } },
        ),
    });
    expect((await parser.parse(large("a"), "a.yaml")).problems).toMatchObject([
      { message: "the file needs more than 512 MB to read; split it" },
    ]);
  });

  it("rejects with what the thread fails with", async () => {
    const { parser } = setUp({ startThread: threadThat(`throw new Error("broken")`) });
    expect(await rejectionOf(parser.parse(large("a"), "a.yaml"))).toMatchObject({
      message: "broken",
    });
  });

  it("ends with its signal", async () => {
    const { ending, parser } = setUp({ startThread: NEVER_ANSWERING });
    const refused = rejectionOf(parser.parse(large("a"), "a.yaml"));
    ending.abort(new Error("over"));
    expect(await refused).toMatchObject({ message: "over" });
  });
});
