import { describe, expect, it } from "vitest";
import { createLog } from "../../observability/log.ts";
import { SecretValues } from "../../observability/secrets/secret-values.ts";
import { systemClock } from "../../time/clock.ts";
import { frameworkOf } from "./framework.ts";

function isLocal(url: string): boolean | undefined {
  const framework = frameworkOf({
    env: { OMNIA_RUNTIME_URL: url },
    configFolder: "/config",
    clock: systemClock,
    random: () => 0,
    log: createLog({ destination: { write: () => {} } }),
    secretValues: new SecretValues(),
  });
  return framework?.isLocal;
}

describe("a runtime at a URL", () => {
  it.each(["http://127.0.0.1:8000", "http://127.1:8000", "http://localhost", "http://[::1]:8000"])(
    "is given the tools at %s, from where it reaches the loopback",
    (url) => expect(isLocal(url)).toBe(true),
  );

  it.each(["http://127.example.com", "https://agents.example.com", "http://10.1.2.3:8000"])(
    "is not told where the tools are at %s",
    (url) => expect(isLocal(url)).toBe(false),
  );
});
