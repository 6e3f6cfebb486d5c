import { describe, expect, it, onTestFinished } from "vitest";
import { aResourceSource } from "../../../../test/support/builders/a-resource-source.ts";
import { ManualClock } from "../../../../test/support/builders/manual-clock.ts";
import { anAgentRuntime } from "../../../../test/support/builders/resources.ts";
import { ChangeLog, MAX_KEPT_CHANGES } from "./change-log.ts";
import { watchStream } from "./watch-stream.ts";

function aStream(lastEventId?: string) {
  const source = aResourceSource();
  const log = new ChangeLog(source, "log");
  const clock = new ManualClock();
  const end = new AbortController();
  onTestFinished(() => end.abort());
  let snapshots = 0;
  const open = (id = lastEventId) =>
    watchStream({
      log,
      lastEventId: id,
      clock,
      signal: end.signal,
      snapshot: () => {
        snapshots += 1;
        return Promise.resolve({ type: "snapshot", items: [] });
      },
      tell: (changes) =>
        Promise.resolve(
          changes.map(({ type, name }) =>
            type === "removed" || name.name === "hidden"
              ? undefined
              : { type: "removed", removed: name },
          ),
        ),
    });
  const stream = open();
  const change = (...names: string[]) =>
    source.put(...names.map((name) => anAgentRuntime({ metadata: { name } })));
  const next = async (from = stream): Promise<string> => {
    const part = await from.next();
    if (part.done === true) return "the end";
    const { id = "", event = part.value.trim() } =
      /^(?:id: (?<id>.*)\n)?event: (?<event>.*)$/m.exec(part.value)?.groups ?? {};
    const [, name = ""] = /"name":"([^"]*)"/.exec(part.value) ?? [];
    return [event, id, name].filter((text) => text !== "").join(" ");
  };
  return { log, clock, end, change, next, open, snapshots: () => snapshots };
}

describe("a stream of changes", () => {
  it("begins with all there is, and goes on with each change", async () => {
    const { change, next, clock } = aStream();
    expect(await next()).toBe(":");
    expect(await next()).toBe("snapshot log-0");
    const changed = next();
    change("a", "b");
    change("a");
    await clock.advance(50);
    expect(await changed).toBe("removed log-2 b");
    expect(await next()).toBe("removed log-3 a");
  });

  it("goes on after the event that the reader had last", async () => {
    const { change, next, open, snapshots } = aStream("log-1");
    change("a", "b", "c");
    const resumed = open();
    expect(await next(resumed)).toBe(":");
    expect(await next(resumed)).toBe("removed log-2 b");
    expect(await next(resumed)).toBe("removed log-3 c");
    expect(snapshots()).toBe(0);
  });

  it.each(["other-3", "nonsense", "log-99", ""])(
    "begins anew, and says so, where %j is not known",
    async (cursor) => {
      const { next } = aStream(cursor);
      expect(await next()).toBe(":");
      expect(await next()).toBe("reset");
      expect(await next()).toBe("snapshot log-0");
    },
  );

  it("begins anew for a reader that was too slow for what is kept", async () => {
    const { change, next } = aStream();
    await next();
    await next();
    for (let index = 0; index < MAX_KEPT_CHANGES + 1; index += 1) change(`a${index}`);
    expect(await next()).toBe("reset");
    expect(await next()).toBe(`snapshot log-${MAX_KEPT_CHANGES + 1}`);
  });

  it("leaves out what the reader may not see", async () => {
    const { change, next } = aStream();
    await next();
    await next();
    change("hidden", "a");
    expect(await next()).toBe("removed log-2 a");
  });

  it("says that it lives while nothing happens, and ends when it is to", async () => {
    const { next, clock, end } = aStream();
    await next();
    await next();
    const quiet = next();
    await clock.advance(15_000);
    expect(await quiet).toBe(":");
    const ending = next();
    end.abort();
    expect(await ending).toBe("the end");
    expect(clock.pendingTimers).toBe(0);
  });
});
