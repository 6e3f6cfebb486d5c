import { describe, expect, it } from "vitest";
import { anAgentConfig } from "../../test/support/builders/agent-config.ts";
import { ManualClock } from "../../test/support/builders/manual-clock.ts";
import { createLog } from "../observability/log.ts";
import { createReadiness, type ReadinessSources } from "./readiness.ts";
import { ProviderKeyError } from "./runtime/providers/provider-key.ts";
import { type SessionStore, StoreUnavailableError } from "./sessions/session-store.ts";

const clock = new ManualClock();
const storeThat = (check: () => Promise<void>): SessionStore => ({ check }) as SessionStore;
const WELL = storeThat(async () => {});

const readinessOf = (given: Partial<ReadinessSources>) =>
  createReadiness({
    clock,
    log: createLog({ level: "silent" }),
    isDraining: () => false,
    isListening: () => true,
    config: () => anAgentConfig(),
    storeProblem: () => undefined,
    store: () => WELL,
    handlerReady: async () => {},
    ...given,
  })();

const refused = "the session store is unavailable: it refuses the user name or password of its URL";

describe("the readiness of an agent", () => {
  it("has no reasons against it while a turn could be served", async () => {
    expect(await readinessOf({})).toEqual([]);
  });

  it.each<[string, Partial<ReadinessSources>, object]>([
    [
      "a store that fails",
      { store: () => storeThat(() => Promise.reject(new Error("socket closed at 10.0.0.1"))) },
      { about: "session-store", message: "the session store does not answer" },
    ],
    [
      "a store that says what is wrong",
      { store: () => storeThat(() => Promise.reject(new StoreUnavailableError(refused))) },
      {
        about: "session-store",
        message:
          "the session store does not answer as it should: it refuses the user name or password of its URL",
      },
    ],
    [
      "a store that could not be opened",
      { storeProblem: () => "the session store cannot be used: its URL has no host" },
      { about: "session-store", message: "the session store cannot be used: its URL has no host" },
    ],
    [
      "a key that is none",
      { handlerReady: () => Promise.reject(new ProviderKeyError("the key is empty")) },
      { about: "provider", message: "the key is empty" },
    ],
    [
      "a handler that fails for another reason",
      { handlerReady: () => Promise.reject(new Error("no prompt")) },
      { message: "no prompt" },
    ],
    [
      "a store that is being opened, of which nothing is known",
      { store: () => undefined },
      { message: "the session store is being opened" },
    ],
    [
      "a facade that does not listen",
      { isListening: () => false },
      { message: "the facade does not listen yet" },
    ],
    [
      "a config that cannot be used",
      { config: () => "it is cut off" },
      { message: "there is no usable config: it is cut off" },
    ],
    ["its end", { isDraining: () => true }, { message: "the agent is shutting down" }],
  ])("says what it is about: %s", async (_what, given, reason) => {
    expect(await readinessOf(given)).toEqual([reason]);
  });

  it("waits for a silent store no longer than for its answer to be of use", async () => {
    const asked = readinessOf({ store: () => storeThat(() => new Promise(() => {})) });
    await clock.advance(3_000);
    expect(await asked).toEqual([
      { about: "session-store", message: "the session store does not answer" },
    ]);
  });
});
