import { describe, expect, it } from "vitest";
import { CallersUnavailableError, LOCAL_CALLERS } from "./caller.ts";

const { signal } = new AbortController();

describe("on one machine", () => {
  it("a caller is nobody in particular, and may do everything", async () => {
    const caller = await LOCAL_CALLERS.identify({ headers: {} }, signal);
    expect(caller).toEqual({ subject: undefined });
    const action = {
      verb: "delete",
      resource: "agentruntimes",
      subresource: "sessions",
      namespace: "any",
    } as const;
    if ("code" in caller) throw new CallersUnavailableError(caller.message);
    expect(await LOCAL_CALLERS.may(caller, action, signal)).toBe(true);
  });
});
