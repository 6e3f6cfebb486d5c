import { describe, expect, it } from "vitest";
import { aResourceSource } from "../../../../test/support/builders/a-resource-source.ts";
import { anAgentRuntime } from "../../../../test/support/builders/resources.ts";
import type { ResourceName } from "../../resource-source.ts";
import { ChangeLog, MAX_KEPT_CHANGES } from "./change-log.ts";

const nameOf = (name: string): ResourceName => ({
  kind: "AgentRuntime",
  namespace: "agents",
  name,
});

function aLog() {
  const source = aResourceSource();
  const log = new ChangeLog(source, "log");
  const change = (...names: string[]) =>
    source.put(...names.map((name) => anAgentRuntime({ metadata: { name } })));
  const told = (number: number) =>
    log.after(number)?.map((one) => `${one.number} ${one.type} ${one.name.name}`);
  return { source, log, change, told };
}

describe("the log of changes", () => {
  it("tells what came after a number, each resource by its newest change", () => {
    const { source, change, told } = aLog();
    change("a", "b");
    change("a");
    source.remove(nameOf("b"));
    change("c");
    expect(told(0)).toEqual(["3 changed a", "4 removed b", "5 changed c"]);
    expect(told(4)).toEqual(["5 changed c"]);
    expect(told(5)).toEqual([]);
  });

  it("tells every event, between the changes where it happened", () => {
    const { source, change, told } = aLog();
    const event = { at: "", count: 1, type: "Normal", reason: "R", message: "m" } as const;
    change("a");
    source.happen({ about: nameOf("a"), event });
    source.happen({ about: nameOf("a"), event });
    change("a");
    expect(told(0)).toEqual(["2 event a", "3 event a", "4 changed a"]);
  });

  it("forgets the oldest changes beyond its limit, and says so", () => {
    const { log, change, told } = aLog();
    for (let index = 0; index <= MAX_KEPT_CHANGES; index += 1) change(`a${index}`);
    expect(told(0)).toBeUndefined();
    expect(told(1)).toHaveLength(MAX_KEPT_CHANGES);
    expect(log.readCursor(log.cursorOf(0))).toBeUndefined();
    expect(log.readCursor(log.cursorOf(1))).toBe(1);
  });

  it.each(["", "log-", "log-x", "log--1", "log-2", "other-1", "log-1e3", "log-99999999999999999"])(
    "knows nothing of a cursor that it did not give: %j",
    (cursor) => {
      const { log, change } = aLog();
      change("a");
      expect(log.readCursor(cursor)).toBeUndefined();
    },
  );

  it("wakes those who wait, at a change and at the end of their patience", async () => {
    const { log, change } = aLog();
    const patience = new AbortController();
    const changed = log.wait(0, new AbortController().signal);
    const aborted = log.wait(1, patience.signal);
    change("a");
    await changed;
    patience.abort();
    await aborted;
    await log.wait(0, new AbortController().signal);
  });

  it("hears of nothing any more once it is disposed of", () => {
    const { source, log } = aLog();
    expect(source.listeners).toBe(1);
    log[Symbol.dispose]();
    expect(source.listeners).toBe(0);
  });
});
