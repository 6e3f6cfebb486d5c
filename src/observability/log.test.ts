import { describe, expect, it } from "vitest";
import { SecretValues } from "./secrets/secret-values.ts";
import { createLog, createProcessLog } from "./log.ts";

function aDestination() {
  const lines: Record<string, unknown>[] = [];
  const write = (line: string) => void lines.push(JSON.parse(line) as Record<string, unknown>);
  return { lines, destination: { write } };
}

function collectingLog() {
  const { lines, destination } = aDestination();
  return { log: createLog({ level: "debug", destination }), lines };
}

describe("log", () => {
  it("writes a line of JSON with a level by name and the time", () => {
    const { log, lines } = collectingLog();
    log.child({ agent: "helper" }).warn({ reason: "why" }, "Something is odd");
    expect(lines).toEqual([
      {
        level: "warn",
        time: expect.any(String),
        agent: "helper",
        reason: "why",
        msg: "Something is odd",
      },
    ]);
  });

  it("writes a line of its own fields with those of the log above it, if the level is written at all", () => {
    const { lines, destination } = aDestination();
    createLog({ destination })
      .child({ agent: "helper" })
      .record({ turnId: "t", code: undefined, toolCalls: 0 }, "A turn has ended");
    createLog({ level: "warn", destination }).record({ turnId: "t" }, "A turn has ended");
    expect(lines).toEqual([
      {
        level: "info",
        time: expect.any(String),
        agent: "helper",
        turnId: "t",
        toolCalls: 0,
        msg: "A turn has ended",
      },
    ]);
  });

  it("takes secrets out of fields", () => {
    const { log, lines } = collectingLog();
    log.info({ apiKey: "one", headers: { authorization: "two", "x-api-key": "three" } }, "fields");
    expect(JSON.stringify(lines)).not.toMatch(/one|two|three/);
  });

  it("says of an error its name, code and causes, without the secrets in their messages", () => {
    const { log, lines } = collectingLog();
    const cause = Object.assign(new Error("connect redis://user:hunter22@store:6379/0 failed"), {
      code: "ECONNREFUSED",
    });
    log.error({ error: new Error("The key sk-abcdefghijklmnop was refused", { cause }) }, "failed");
    expect(lines[0]?.["error"]).toMatchObject({
      name: "Error",
      message: "The key [redacted] was refused",
      cause: { code: "ECONNREFUSED", message: "connect redis://[redacted]@store:6379/0 failed" },
    });
    expect(JSON.stringify(lines)).not.toMatch(/hunter22|abcdefgh/);
  });

  it("holds no secret that the process was given, in whatever text of a line and whatever spelling", () => {
    const lines: string[] = [];
    const secretValues = new SecretValues();
    const log = createLog({
      destination: { write: (line) => void lines.push(line) },
      secretValues,
    });
    const secret = 'correct "horse" battery';
    secretValues.add(secret);
    const error = new Error(`refused ${secret}`, { cause: encodeURIComponent(secret) });
    log
      .child({ agent: "helper" })
      .error(
        { error, reasons: [secret], detail: { body: JSON.stringify({ secret }) }, count: 3 },
        `The key ${secret} was refused`,
      );
    expect(lines[0]).not.toMatch(/horse/);
    expect(JSON.parse(lines[0] ?? "")).toMatchObject({
      agent: "helper",
      msg: "The key [redacted] was refused",
      reasons: ["[redacted]"],
      detail: { body: '{"secret":"[redacted]"}' },
      count: 3,
      error: { message: "refused [redacted]", cause: "[redacted]" },
    });
  });

  it("holds nothing in a text that has the form of a secret", () => {
    const { log, lines } = collectingLog();
    log.info({ reasons: ["redis://me:hunter22@store"] }, "Bearer abcdefghijkl");
    expect(JSON.stringify(lines)).not.toMatch(/hunter22|abcdefgh/);
  });

  it("holds nothing that a terminal would obey, and the same values", () => {
    const lines: string[] = [];
    const log = createLog({ destination: { write: (line) => void lines.push(line) } });
    const hostile = "\u009b2J \u202etxt.exe \u001b[2J";
    log.info({ hostile }, hostile);
    expect(lines[0]).toMatch(/^[\n -~]+$/);
    expect(JSON.parse(lines[0] ?? "")).toMatchObject({ hostile, msg: hostile });
  });

  it.each([
    [undefined, "info"],
    ["", "info"],
    ["DEBUG", "debug"],
    ["error", "error"],
  ])("has the level that LOG_LEVEL %j says", (LOG_LEVEL, level) => {
    const { lines, destination } = aDestination();
    const log = createProcessLog({ LOG_LEVEL }, { destination });
    for (const each of ["debug", "info", "warn", "error"] as const) log[each]({}, "said");
    expect(lines[0]).toMatchObject({ level });
  });

  it("says that a LOG_LEVEL is none, and takes info", () => {
    const { lines, destination } = aDestination();
    createProcessLog({ LOG_LEVEL: "loud" }, { destination }).info({}, "begun");
    expect(lines).toMatchObject([
      { level: "warn", LOG_LEVEL: "loud", msg: "LOG_LEVEL is none of the levels, so info is used" },
      { level: "info", msg: "begun" },
    ]);
  });
});
