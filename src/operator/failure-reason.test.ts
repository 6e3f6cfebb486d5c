import { describe, expect, it } from "vitest";
import { ApiError, ConnectionError } from "../kube/client/api-error.ts";
import { TerminalError } from "../kube/controller/controller.ts";
import { failureReason } from "./failure-reason.ts";

const apiError = (reason: string, status = 409) =>
  new ApiError({ status, reason, message: "private" });

describe("the reason of a reconciliation that failed", () => {
  it.for([
    ["that of the API server", apiError("Conflict"), "Conflict"],
    ["that of a cause", new Error("outer", { cause: apiError("Forbidden", 403) }), "Forbidden"],
    ["the status where a proxy answers with words of its own", apiError("x y", 502), "Status502"],
    ["the status where there is no reason", apiError("", 500), "Status500"],
    ["that there was no connection", new ConnectionError("refused"), "NoConnection"],
    ["that it is not tried again", new TerminalError("no"), "Terminal"],
    ["no more than that of anything else", new Error("10.0.0.7 is private"), "Other"],
    ["no more than that of what is no error", "private", "Other"],
  ] as const)("is %s", ([, error, reason]) => {
    expect(failureReason(error)).toBe(reason);
  });
});
