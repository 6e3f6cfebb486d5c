import fc from "fast-check";
import { expect, it } from "vitest";
import { parseRedisURL } from "../agent/sessions/redis-url.ts";
import { redisURLProblem } from "./redis-url-problem.ts";

function agentTakes(text: string): boolean {
  try {
    parseRedisURL(text);
    return true;
  } catch {
    return false;
  }
}

it.each([
  "redis://redis:6379",
  "rediss://user:p%40ss@redis.example:6380/2",
  "redis://:secret@[::1]:6379/0\n",
  "http://redis:6379",
  "redis:6379",
  "redis.example:6379",
  "redis://",
  "redis://redis/sessions",
  "redis://redis/1/2",
  "redis://redis/123456",
  "redis://redis?db=1",
  "redis://u:%zz@redis",
  "",
])("judges %j as the agent does", (text) => {
  expect(redisURLProblem(text) === undefined).toBe(agentTakes(text));
});

it("judges every text as the agent does, and does not repeat it", () => {
  const part = fc.constantFrom(
    "redis",
    "rediss",
    "http",
    ":",
    "/",
    "//",
    "@",
    "?",
    "#",
    "%",
    "%40",
    "1",
    "host",
    "hunter2",
  );
  fc.assert(
    fc.property(fc.array(part, { maxLength: 9 }), (parts) => {
      const text = `redis://${parts.join("")}`;
      const problem = redisURLProblem(text);
      expect(problem === undefined).toBe(agentTakes(text));
      expect(problem ?? "").not.toContain("hunter2");
    }),
    { numRuns: 1_000 },
  );
});
