import { describe, expect, it } from "vitest";
import { notReadyAnswer, readNotReadyAnswer } from "./readiness-answer.ts";

describe("the answer of a process that is not ready", () => {
  it("says to everybody why, and to who knows of it what each reason is about", () => {
    const reasons = [
      { message: "the facade does not listen yet" },
      { about: "session-store" as const, message: "the session store does not answer" },
    ];
    const answer = notReadyAnswer(reasons);
    expect(answer).toEqual({
      status: "not ready",
      reasons: ["the facade does not listen yet", "the session store does not answer"],
      details: [{ about: "session-store", message: "the session store does not answer" }],
    });
    expect(readNotReadyAnswer(JSON.stringify(answer))).toEqual(reasons);
  });

  it("is read from an agent that knows of no details, and of one that knows more than we do", () => {
    const reasons = [{ message: "a" }];
    expect(readNotReadyAnswer('{"reasons":["a"]}')).toEqual(reasons);
    const newer = '{"reasons":["a"],"details":[{"about":"moon","message":"a"}],"more":1}';
    expect(readNotReadyAnswer(newer)).toEqual(reasons);
    expect(readNotReadyAnswer('{"reasons":["a"],"details":"none"}')).toEqual(reasons);
  });

  it.each(["", "no", "null", "[]", "{}", '{"reasons":[]}', '{"reasons":[1]}', '{"reasons":""}'])(
    "is none when it is %j",
    (body) => {
      expect(readNotReadyAnswer(body)).toBeUndefined();
    },
  );

  it("is read up to a limit, as anybody may have written it", () => {
    const long = Array.from({ length: 100 }, (_, index) => `${index} ${"x".repeat(10_000)}`);
    const read = readNotReadyAnswer(JSON.stringify({ reasons: long })) ?? [];
    expect(read).toHaveLength(16);
    expect(Math.max(...read.map(({ message }) => message.length))).toBe(1024);
  });
});
