import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { MAX_STORE_HOSTS, parseStoreURL } from "./store-url.ts";

describe("the URL of one server", () => {
  const server = { kind: "server", host: "cache", port: 6379, tls: false, database: 0 };

  it.each([
    ["redis://cache", server],
    ["redis://cache/", server],
    ["REDIS://cache/0/", server],
    ["  redis://cache:7000/3\n", { ...server, port: 7000, database: 3 }],
    [
      "rediss://me:p%40ss%2F%25@cache.example:6380/15",
      {
        kind: "server",
        host: "cache.example",
        port: 6380,
        tls: true,
        username: "me",
        password: "p@ss/%",
        database: 15,
      },
    ],
    ["redis://:secret@127.0.0.1", { ...server, host: "127.0.0.1", password: "secret" }],
    ["redis://[::1]:6379", { ...server, host: "::1" }],
  ])("is read: %j", (text, address) => {
    expect(parseStoreURL(text)).toEqual({ ok: true, address });
  });
});

describe("the URL of several servers", () => {
  it.each([
    [
      "redis+sentinel://s1,s2:26380,[::1]:7/mymaster",
      {
        kind: "sentinel",
        sentinels: [
          { host: "s1", port: 26379 },
          { host: "s2", port: 26380 },
          { host: "::1", port: 7 },
        ],
        primary: "mymaster",
        tls: false,
        database: 0,
      },
    ],
    [
      "rediss+sentinel://me:p%40ss@s1:26379/my.master-1/2\n",
      {
        kind: "sentinel",
        sentinels: [{ host: "s1", port: 26379 }],
        primary: "my.master-1",
        tls: true,
        username: "me",
        password: "p@ss",
        database: 2,
      },
    ],
    [
      "redis+cluster://:s%2Cecret@n1,n2:7001",
      {
        kind: "cluster",
        nodes: [
          { host: "n1", port: 6379 },
          { host: "n2", port: 7001 },
        ],
        tls: false,
        password: "s,ecret",
      },
    ],
    ["rediss+cluster://n1/0", { kind: "cluster", nodes: [{ host: "n1", port: 6379 }], tls: true }],
  ])("is read: %j", (text, address) => {
    expect(parseStoreURL(text)).toEqual({ ok: true, address });
  });
});

describe("a URL that cannot be used", () => {
  it.each([
    ["", "it is no URL"],
    ["cache:6379", "begin with redis://"],
    ["http://:hunter2@cache", "begin with redis://"],
    ["redis+other://cache", "begin with redis://"],
    ["redis://:hunter2@", "it is no URL"],
    ["redis:///1", "it names no host"],
    ["redis://:hunter2@cache:port", "it is no URL"],
    ["redis://:hunter2@cache/one", "the number of a database"],
    ["redis://:hunter2@cache/-1", "the number of a database"],
    ["redis://:hunter2@cache/123456", "the number of a database"],
    ["redis://:hunter2%@cache", "must be percent-encoded"],
    ["redis://:hunter2@cache?db=2", "no parameters"],
    ["redis://:hunter2#@cache", "it is no URL"],
    ["redis://:hunter2@a,b", "several hosts"],
    ["redis+sentinel://:hunter2@s1,s2", "name the primary"],
    ["redis+sentinel://:hunter2@s1/my master", "name the primary"],
    ["redis+sentinel://:hunter2@s1/mymaster/one", "the number of a database"],
    ["redis+sentinel://:hunter2@s1/mymaster/1/2", "the number of a database"],
    ["redis+sentinel:///mymaster", "it names no host"],
    ["redis+sentinel://s1?hunter2#/mymaster", "no parameters"],
    ["redis+sentinel://:hunter2%@s1/mymaster", "must be percent-encoded"],
    ["redis+sentinel:s1/mymaster", "it is no URL"],
    ["redis+cluster://:hunter2@n1,,n2", "host:port"],
    ["redis+cluster://:hunter2@n1:port", "host:port"],
    ["redis+cluster://:hunter2@n1/1", "it must have no path"],
    [`redis+cluster://${"n,".repeat(MAX_STORE_HOSTS)}n`, `more than ${MAX_STORE_HOSTS} hosts`],
  ])("is refused without being repeated: %j", (text, problem) => {
    const parsed = parseStoreURL(text);
    expect(parsed).toEqual({ ok: false, problem: expect.stringContaining(problem) });
    expect(JSON.stringify(parsed)).not.toContain("hunter2");
  });

  it("never makes the parser fail", () => {
    const parts = [
      "redis",
      "+sentinel",
      "+cluster",
      ":",
      "/",
      "//",
      "@",
      ",",
      "?",
      "#",
      "%",
      "%40",
      "1",
      "[",
      "hunter2",
    ];
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...parts), { maxLength: 10 }), (chosen) => {
        const parsed = parseStoreURL(`redis${chosen.join("")}`);
        expect(parsed.ok ? "" : parsed.problem).not.toContain("hunter2");
      }),
      { numRuns: 2_000 },
    );
  });
});
