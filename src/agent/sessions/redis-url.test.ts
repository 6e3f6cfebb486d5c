import { inspect } from "node:util";
import { describe, expect, it } from "vitest";
import { InvalidStoreURLError, parseRedisURL } from "./redis-url.ts";

describe("parseRedisURL", () => {
  it.each([
    ["redis://cache", { host: "cache", port: 6379, tls: false, database: 0 }],
    ["redis://cache/", { host: "cache", port: 6379, tls: false, database: 0 }],
    ["  redis://cache:7000/3\n", { host: "cache", port: 7000, tls: false, database: 3 }],
    [
      "rediss://me:p%40ss%2F%25@cache.example:6380/15",
      {
        host: "cache.example",
        port: 6380,
        tls: true,
        username: "me",
        password: "p@ss/%",
        database: 15,
      },
    ],
    [
      "redis://:only-a-password@127.0.0.1",
      { host: "127.0.0.1", port: 6379, tls: false, password: "only-a-password", database: 0 },
    ],
    ["redis://[::1]:6379", { host: "::1", port: 6379, tls: false, database: 0 }],
  ])("takes %j", (text, address) => {
    expect(parseRedisURL(text)).toEqual(address);
  });

  it.each([
    ["", "not a URL"],
    ["cache:6379", "redis:// or rediss://"],
    ["http://:hunter2@cache", "redis:// or rediss://"],
    ["redis://:hunter2@", "not a URL"],
    ["redis:///1", "no host"],
    ["redis://:hunter2@cache:port", "not a URL"],
    ["redis://:hunter2@cache/one", "number of a database"],
    ["redis://:hunter2@cache/-1", "number of a database"],
    ["redis://:hunter2%@cache", "password in the store's URL is not percent-encoded"],
    ["redis://:hunter2@cache?db=2", "no parameters"],
    ["redis://:hunter2#@cache", "not a URL"],
  ])("refuses %j without repeating it", (text, problem) => {
    let error: unknown;
    try {
      parseRedisURL(text);
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(InvalidStoreURLError);
    expect(String(error)).toContain(problem);
    expect(inspect(error, { depth: null, showHidden: true })).not.toContain("hunter2");
  });
});
