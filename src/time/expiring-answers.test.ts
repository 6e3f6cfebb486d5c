import { describe, expect, it } from "vitest";
import { ManualClock } from "../../test/support/builders/manual-clock.ts";
import { rejectionOf } from "../../test/support/builders/rejection-of.ts";
import { ExpiringAnswers } from "./expiring-answers.ts";

const { signal } = new AbortController();

function setUp(max = 10) {
  const clock = new ManualClock();
  const answers = new ExpiringAnswers<string>({ clock, ageMs: 1_000, max });
  const asked: string[] = [];
  const get = (key: string, by = signal): Promise<string> =>
    answers.get(key, by, async () => {
      asked.push(key);
      return key.toUpperCase();
    });
  return { clock, answers, asked, get };
}

describe("answers that expire", () => {
  it("are asked for once as long as they count", async () => {
    const { clock, asked, get } = setUp();
    expect(await Promise.all([get("a"), get("a")])).toEqual(["A", "A"]);
    await clock.advance(999);
    await get("a");
    expect(asked).toEqual(["a"]);
    await clock.advance(1);
    await get("a");
    expect(asked).toEqual(["a", "a"]);
  });

  it("go, the oldest first, when there are too many", async () => {
    const { answers, asked, get } = setUp(2);
    for (const key of ["a", "b", "c"]) await get(key);
    expect(answers.size).toBe(2);
    await get("c");
    await get("b");
    expect(asked).toEqual(["a", "b", "c"]);
    await get("a");
    expect(asked).toHaveLength(4);
  });

  it("are asked for again after a failure", async () => {
    const { answers, get } = setUp();
    const failing = answers.get("a", signal, () => Promise.reject(new Error("away")));
    await expect(failing).rejects.toThrow("away");
    expect(await get("a")).toBe("A");
  });

  it("come to those who wait still, when the one who asked first has left", async () => {
    const { answers, get } = setUp();
    const answer = Promise.withResolvers<string>();
    const leaving = new AbortController();
    const first = answers.get("a", leaving.signal, () => answer.promise);
    const second = get("a");
    leaving.abort(new Error("left"));
    await expect(first).rejects.toThrow("left");
    answer.resolve("B");
    expect(await second).toBe("B");
  });

  it("are not waited for without end", async () => {
    const { clock, answers } = setUp();
    const hanging = answers.get(
      "a",
      signal,
      (asking) =>
        new Promise((_, reject) => {
          asking.addEventListener("abort", () => reject(asking.reason as Error));
        }),
    );
    const [failure] = await Promise.all([rejectionOf(hanging), clock.advance(10_000)]);
    expect(failure).toMatchObject({ name: "TimeoutError" });
  });
});
