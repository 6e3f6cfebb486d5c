import { describe, expect, it } from "vitest";
import { selectProtocol, tokenOf } from "./authenticator.ts";

describe("the authenticator", () => {
  it.each([
    [{}, undefined],
    [{ authorization: "Bearer abc" }, "abc"],
    [{ authorization: "bearer   abc " }, "abc"],
    [{ authorization: "Basic abc" }, undefined],
    [{ authorization: "Bearer" }, undefined],
    [{ authorization: "Bearer a b" }, undefined],
    [{ "x-api-key": "abc" }, "abc"],
    [{ "sec-websocket-protocol": "omnia, bearer.abc" }, "abc"],
    [{ "sec-websocket-protocol": "bearer." }, undefined],
    [
      { authorization: "Bearer one", "x-api-key": "two", "sec-websocket-protocol": "bearer.three" },
      "one",
    ],
  ])("reads the token of %j", (headers, token) => {
    expect(tokenOf({ headers })).toBe(token);
  });

  it("selects a subprotocol that is no token where there is one", () => {
    expect(selectProtocol(["bearer.abc", "omnia"])).toBe("omnia");
    expect(selectProtocol(["bearer.abc"])).toBe("bearer.abc");
    expect(selectProtocol([])).toBe(false);
  });
});
