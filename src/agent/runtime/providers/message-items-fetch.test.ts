import { describe, expect, it } from "vitest";
import { withTypes } from "./message-items-fetch.ts";

describe("a request for a Response", () => {
  it("says of each message that it is one, and leaves all else as it is", () => {
    const call = { type: "function_call", call_id: "1", name: "pay", arguments: "{}" };
    const message = { type: "message", role: "user", content: "hi" };
    const request = {
      model: "m",
      input: [
        { role: "system", content: "Be terse." },
        { role: "assistant", content: "" },
        call,
        message,
      ],
      stream: true,
    };
    expect(JSON.parse(withTypes(JSON.stringify(request)))).toEqual({
      ...request,
      input: [
        { type: "message", role: "system", content: "Be terse." },
        { type: "message", role: "assistant", content: "" },
        call,
        message,
      ],
    });
  });

  it.each(["", "{", "null", "[]", '"text"', '{"input":"hi"}', '{"input":null}'])(
    "stays what it is when it has no items: %s",
    (body) => {
      expect(withTypes(body)).toBe(body);
    },
  );
});
