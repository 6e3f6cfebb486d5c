import { describe, expect, it } from "vitest";
import { CONDITIONS } from "../../api/conditions.ts";
import {
  TOOL_DESCRIPTION_ANNOTATION,
  TOOL_LABEL,
  TOOL_NAME_ANNOTATION,
  TOOL_PATH_ANNOTATION,
  TOOL_SCHEMA_ANNOTATION,
  TOOL_TYPE_ANNOTATION,
} from "../../api/group.ts";
import { aToolRegistry } from "../../../test/support/builders/resources.ts";
import { decideToolRegistry, type ToolRegistryDecision } from "./decide-tool-registry.ts";
import type { ServiceView } from "./service-view.ts";

const NOW = Date.parse("2026-03-01T12:00:00Z");
const URL = "http://tools.example/lookup";
const OTHER_URL = "http://tools.example/other";

function aService(fields: Partial<ServiceView> = {}): ServiceView {
  return {
    name: "lookup-svc",
    namespace: "agents",
    labels: { [TOOL_LABEL]: "true", app: "lookup" },
    annotations: {},
    ports: [{ name: "http", port: 80 }],
    readyEndpoints: true,
    backedBy: "pods",
    ...fields,
  };
}

const discovered = (fields: object = {}): object => ({
  name: "lookup-user",
  selector: { matchLabels: { app: "lookup" } },
  ...fields,
});

/** Each of them costs about a thousandth of what all schemas of a registry may. */
function manyLargePatterns(count: number, end = ""): object {
  const schemas = Array.from({ length: count }, (_, index) => ({
    pattern: `[ab]{450}${index}${end}`,
  }));
  return { properties: Object.fromEntries(schemas.map((schema, index) => [`p${index}`, schema])) };
}

interface Given {
  tools?: object[];
  services?: ServiceView[];
  /** URL → the result of its probe. */
  probes?: Record<string, { reachable: boolean; message?: string; refused?: boolean }>;
  urlAddresses?: readonly string[];
  runsCommands?: boolean;
}

function decide({
  tools = [discovered()],
  services = [],
  probes = {},
  urlAddresses,
  runsCommands,
}: Given): ToolRegistryDecision {
  return decideToolRegistry({
    toolRegistry: aToolRegistry({ spec: { tools } }),
    services,
    probes: new Map(Object.entries(probes)),
    urlAddresses,
    runsCommands,
    now: NOW,
  });
}

const urls = (given: Given): string[] => decide(given).tools.map(({ url }) => url);

const CASES: [
  says: string,
  given: Given,
  phase: string,
  available: string,
  all: string,
  message: string,
][] = [
  [
    "a Service with ready endpoints",
    { services: [aService()] },
    "Ready",
    "ToolsFound",
    "AllReady",
    "Every tool",
  ],
  [
    "no Service that matches",
    {},
    "Pending",
    "NoServices",
    "NoServices",
    "no Service has the labels omnia.altairalabs.ai/tool=true, app=lookup",
  ],
  ["an empty registry", { tools: [] }, "Pending", "NoServices", "NoServices", "lists no tools"],
  [
    "a Service without ready endpoints",
    { services: [aService({ readyEndpoints: false })] },
    "Failed",
    "NoReadyEndpoints",
    "NoReadyEndpoints",
    'Tool "lookup-user": Service "lookup-svc" has no ready endpoint',
  ],
  [
    "a URL that cannot be connected to",
    {
      tools: [{ name: "a", url: URL }],
      probes: { [URL]: { reachable: false, message: "connection refused" } },
    },
    "Failed",
    "Unreachable",
    "Unreachable",
    `${URL} cannot be connected to: connection refused`,
  ],
  [
    "a URL that nobody tried",
    { tools: [{ name: "constructor", url: URL }] },
    "Failed",
    "Unreachable",
    "Unreachable",
    "not been tried",
  ],
  [
    "a Service that describes no tool",
    { services: [aService({ annotations: { [TOOL_TYPE_ANNOTATION]: "ftp" } })] },
    "Failed",
    "InvalidTool",
    "InvalidTool",
    "none of http, grpc, mcp, openapi",
  ],
  [
    "one tool of two",
    {
      tools: [
        { name: "a", url: URL },
        { name: "b", url: OTHER_URL },
      ],
      probes: { [URL]: { reachable: true }, [OTHER_URL]: { reachable: false } },
    },
    "Degraded",
    "ToolsFound",
    "Unreachable",
    'Tool "b"',
  ],
];

describe("the status of a ToolRegistry", () => {
  it.each(CASES)("tells of %s: %s", (_says, given, phase, available, all, message) => {
    const { status } = decide(given);
    expect(status.phase).toBe(phase);
    expect(status.conditions).toMatchObject([
      {
        type: "ToolsAvailable",
        reason: available,
        status: available === "ToolsFound" ? "True" : "False",
      },
      { type: "AllToolsReady", reason: all, status: all === "AllReady" ? "True" : "False" },
    ]);
    expect(status.conditions?.[1]?.message).toContain(message);
  });

  it("knows every reason of the table", () => {
    const told = (column: 3 | 4): string[] =>
      [...new Set(CASES.map((one) => one[column]))].toSorted();
    const { ToolsAvailable, AllToolsReady } = CONDITIONS.ToolRegistry;
    expect(told(3)).toEqual([...ToolsAvailable.true, ...ToolsAvailable.notTrue].toSorted());
    expect(told(4)).toEqual([...AllToolsReady.true, ...AllToolsReady.notTrue].toSorted());
  });

  it("lists every tool with its state, and counts", () => {
    const { status } = decide({
      tools: [
        { name: "a", url: URL },
        discovered(),
        discovered({ name: "none", selector: { matchLabels: { x: "y" } } }),
      ],
      services: [aService({ readyEndpoints: false })],
      probes: { [URL]: { reachable: true } },
    });
    expect(status).toMatchObject({ discoveredTools: 2, availableTools: 1 });
    expect(status.tools).toEqual([
      { name: "a", type: "http", endpoint: URL, available: true },
      {
        name: "lookup-user",
        type: "http",
        endpoint: "http://lookup-svc.agents.svc:80/",
        available: false,
        reason: "NoReadyEndpoints",
      },
      { name: "none", type: "http", available: false, reason: "NoServices" },
    ]);
  });

  it("is decided alike a second time", () => {
    const given = { services: [aService()] };
    const first = decide(given);
    const toolRegistry = aToolRegistry({ spec: { tools: [discovered()] }, status: first.status });
    const second = decideToolRegistry({
      toolRegistry,
      ...given,
      probes: new Map(),
      now: NOW + 60_000,
    });
    expect(second).toEqual(first);
  });
});

describe("a credential for a Service", () => {
  const authSecretRef = { name: "token", key: "t" };
  const named = { matchLabels: { app: "lookup" }, names: ["lookup-svc"] };

  it("needs the Service's name in the registry, as labels can be put on any Service", () => {
    const { status, tools } = decide({
      tools: [discovered({ authSecretRef })],
      services: [aService()],
    });
    expect(tools).toEqual([]);
    expect(status.tools).toMatchObject([{ available: false, reason: "InvalidTool" }]);
    expect(status.conditions?.at(-1)?.message).toContain(
      'list "lookup-svc" in selector.names of the entry',
    );
  });

  it("goes to a Service that the registry names, and that leads to pods", () => {
    const tools = [discovered({ authSecretRef, selector: named })];
    expect(decide({ tools, services: [aService()] }).tools).toMatchObject([
      { name: "lookup-user", authSecretRef, noCredential: undefined },
    ]);
  });

  it.each(["hand-made-endpoints", "external-name"] as const)(
    "never goes to a Service with %s",
    (backedBy) => {
      const tools = [discovered({ authSecretRef, selector: named })];
      const { status } = decide({ tools, services: [aService({ backedBy })] });
      expect(status.tools).toMatchObject([{ available: false, reason: "InvalidTool" }]);
    },
  );

  it("is not needed: without one, labels are enough", () => {
    expect(
      decide({ services: [aService({ backedBy: "hand-made-endpoints" })] }).tools,
    ).toHaveLength(1);
  });

  it("is for the named Services only: others with the same labels are no tools of the entry", () => {
    const services = [aService(), aService({ name: "other" })];
    const { tools } = decide({ tools: [discovered({ selector: named })], services });
    expect(tools.map(({ url }) => url)).toEqual(["http://lookup-svc.agents.svc:80/"]);
  });
});

describe("discovery", () => {
  it("takes every Service that matches, by name, whatever order they come in", () => {
    const services = ["c", "a", "b"].map((name) => aService({ name }));
    const { tools } = decide({ services });
    expect(tools.map(({ name }) => name)).toEqual(["a", "b", "c"]);
  });

  it("takes no Service of another namespace, without the label, or with a label too few", () => {
    const services = [
      aService({ namespace: "other" }),
      aService({ labels: { app: "lookup" } }),
      aService({ labels: { [TOOL_LABEL]: "false", app: "lookup" } }),
      aService({ labels: { [TOOL_LABEL]: "true" } }),
    ];
    expect(decide({ services }).tools).toEqual([]);
  });

  it("gives a single Service the name of the entry, and each of several its own", () => {
    expect(decide({ services: [aService()] }).tools[0]?.name).toBe("lookup-user");
    const named = aService({ name: "other", annotations: { [TOOL_NAME_ANNOTATION]: "find_user" } });
    expect(decide({ services: [aService(), named] }).tools.map(({ name }) => name)).toEqual([
      "lookup-svc",
      "find_user",
    ]);
  });

  it("may be a command, where commands are run", () => {
    const mcp = { transport: "stdio", command: ["npx", "-y", "server"] };
    const tools = [{ name: "files", type: "mcp", mcp }];
    const local = decide({ tools, runsCommands: true });
    expect(local.tools).toMatchObject([{ name: "files", type: "mcp", url: "", mcp }]);
    expect(local.status).toMatchObject({
      phase: "Ready",
      tools: [{ name: "files", type: "mcp", available: true }],
    });
    const cluster = decide({ tools });
    expect(cluster.tools).toEqual([]);
    expect(cluster.status.tools).toMatchObject([{ available: false, reason: "InvalidTool" }]);
    expect(JSON.stringify(cluster.status.conditions)).toContain(
      "its mcp.transport is stdio, which only omnia up runs; serve it over HTTP",
    );
    const unusable = [
      { ...tools[0], approval: { arguments: { properties: { a: { type: "text" } } } } },
    ];
    expect(
      JSON.stringify(decide({ tools: unusable, runsCommands: true }).status.conditions),
    ).toContain("its approval cannot be used");
  });

  it("reads the annotations", () => {
    const annotations = {
      [TOOL_NAME_ANNOTATION]: "find_user",
      [TOOL_PATH_ANNOTATION]: "/v1/find",
      [TOOL_DESCRIPTION_ANNOTATION]: "Finds a user",
      [TOOL_TYPE_ANNOTATION]: "mcp",
      [TOOL_SCHEMA_ANNOTATION]: '{"type": "object", "properties": {"id": {"type": "string"}}}',
    };
    expect(decide({ services: [aService({ annotations })] }).tools).toEqual([
      {
        name: "find_user",
        type: "mcp",
        url: "http://lookup-svc.agents.svc:80/v1/find",
        description: "Finds a user",
        fallbackDescription: "lookup-svc",
        method: "POST",
        inputSchema: { type: "object", properties: { id: { type: "string" } } },
        timeoutMs: 30_000,
        retries: 2,
        headers: {},
        noCredential: expect.stringContaining("selector.names") as string,
        allowedAddresses: ["private"],
        available: true,
      },
    ]);
  });

  it.each([
    [
      "a path without a slash",
      { [TOOL_PATH_ANNOTATION]: "find" },
      "http://lookup-svc.agents.svc:80/find",
    ],
    [
      "a path that looks like a host",
      { [TOOL_PATH_ANNOTATION]: "//evil.example/x" },
      "http://lookup-svc.agents.svc:80//evil.example/x",
    ],
    [
      "a path that looks like a user",
      { [TOOL_PATH_ANNOTATION]: "@evil.example" },
      "http://lookup-svc.agents.svc:80/@evil.example",
    ],
  ])("stays on the Service with %s", (_what, annotations, url) => {
    expect(urls({ services: [aService({ annotations })] })).toEqual([url]);
  });

  const ports = [
    { name: "http", port: 80 },
    { name: "admin", port: 9090 },
    { name: "tls", port: 8443, appProtocol: "https" },
  ];
  it.each([
    ["by name", "admin", "http://lookup-svc.agents.svc:9090/"],
    ["by number", 80, "http://lookup-svc.agents.svc:80/"],
    ["by a number in quotes", "9090", "http://lookup-svc.agents.svc:9090/"],
    ["that speaks TLS", 8443, "https://lookup-svc.agents.svc:8443/"],
  ])("finds a port %s", (_how, port, url) => {
    expect(urls({ tools: [discovered({ port })], services: [aService({ ports })] })).toEqual([url]);
  });

  it.each([
    [
      "a port that is not there",
      { tools: [discovered({ port: 81 })], services: [aService({ ports })] },
      "has no port 81; it has http, admin, tls",
    ],
    [
      "several ports and no choice",
      { services: [aService({ ports })] },
      "several ports (http, admin, tls)",
    ],
    ["no port", { services: [aService({ ports: [] })] }, "has no port"],
    [
      "a schema that is no JSON",
      { services: [aService({ annotations: { [TOOL_SCHEMA_ANNOTATION]: "{" } })] },
      "no JSON Schema",
    ],
    [
      "a schema of no object",
      { services: [aService({ annotations: { [TOOL_SCHEMA_ANNOTATION]: '{"type":"string"}' } })] },
      "no JSON Schema",
    ],
    [
      "a schema that cannot be used",
      {
        services: [
          aService({
            annotations: { [TOOL_SCHEMA_ANNOTATION]: '{"properties":{"a":{"type":"text"}}}' },
          }),
        ],
      },
      "tool-schema that cannot be used: properties.a.type must be one of",
    ],
    [
      "a schema that is too large",
      {
        services: [
          aService({
            annotations: {
              [TOOL_SCHEMA_ANNOTATION]: JSON.stringify({ description: "x".repeat(70_000) }),
            },
          }),
        ],
      },
      "tool-schema that is too large; up to 64 KiB are read",
    ],
    [
      "a schema of its entry that cannot be used",
      {
        tools: [discovered({ inputSchema: { properties: { a: { pattern: "(?=x)" } } } })],
        services: [aService()],
      },
      "has the inputSchema of its entry, which cannot be used: properties.a.pattern is no regular",
    ],
    [
      "an approval of its entry that cannot be used",
      {
        tools: [discovered({ approval: { arguments: { properties: { a: { type: "text" } } } } })],
        services: [aService()],
      },
      "has the approval of its entry, which cannot be used: properties.a.type must",
    ],
    [
      "a name with spaces",
      { services: [aService({ annotations: { [TOOL_NAME_ANNOTATION]: "a b" } })] },
      "no name",
    ],
    [
      "a path with spaces",
      { services: [aService({ annotations: { [TOOL_PATH_ANNOTATION]: "/a b" } })] },
      "no path",
    ],
    [
      "a local URL that is none",
      { services: [aService({ localURL: "localhost:9000" })] },
      "no URL",
    ],
  ])(
    "calls a Service invalid for %s, and offers it to no model",
    (_what, given: Given, message) => {
      const { tools, status } = decide(given);
      expect(tools).toEqual([]);
      expect(status.tools).toMatchObject([{ available: false, reason: "InvalidTool" }]);
      expect(status.conditions?.[1]?.message).toContain(message);
    },
  );

  it.each([
    ["a type that there is not", { properties: { a: { type: "text" } } }, "properties.a.type must"],
    ["a pattern that RE2 has not", { properties: { a: { pattern: "(?!x)" } } }, "no lookahead"],
    ["a reference to nothing", { properties: { a: { $ref: "#/$defs/a" } } }, "leads nowhere"],
    ["a circle", { anyOf: [{ $ref: "#" }] }, "it refers to itself without end"],
    ["a pattern that unfolds", { properties: { a: { pattern: "((a{900}){900})" } } }, "too large"],
    ["many large patterns", manyLargePatterns(99), "is too much work"],
  ])("calls a tool invalid for a schema with %s", (_what, inputSchema, message) => {
    const { tools, status } = decide({
      tools: [{ name: "lookup", url: URL, inputSchema }],
      probes: { [URL]: { reachable: true } },
    });
    expect(tools).toEqual([]);
    expect(status).toMatchObject({
      phase: "Failed",
      tools: [{ name: "lookup", endpoint: URL, available: false, reason: "InvalidTool" }],
    });
    expect(status.conditions?.[1]?.message).toContain("its inputSchema cannot be used: ");
    expect(status.conditions?.[1]?.message).toContain(message);
    // A schema says in the same way which calls wait for an approval.
    const { tools: waiting, status: judged } = decide({
      tools: [{ name: "lookup", url: URL, approval: { arguments: inputSchema } }],
      probes: { [URL]: { reachable: true } },
    });
    expect(waiting).toEqual([]);
    expect(judged.tools).toMatchObject([{ available: false, reason: "InvalidTool" }]);
    expect(judged.conditions?.[1]?.message).toContain("its approval cannot be used: ");
    expect(judged.conditions?.[1]?.message).toContain(message);
  });

  it("judges the schemas of all tools within a bound, first those of the first entries", () => {
    const tools = Array.from({ length: 100 }, (_, index) => ({
      name: `t${index}`,
      url: URL,
      inputSchema: manyLargePatterns(8, `of ${index}`),
    }));
    const { status } = decide({ tools, probes: { [URL]: { reachable: true } } });
    const valid = status.tools?.filter(({ available }) => available) ?? [];
    expect(valid.length).toBeGreaterThan(4);
    expect(valid.length).toBeLessThan(20);
    expect(valid.map(({ name }) => name)).toEqual(valid.map((_, index) => `t${index}`));
  });

  it("reads the schema of an entry once, however many Services it selects", () => {
    const services = Array.from({ length: 200 }, (_, index) => aService({ name: `s${index}` }));
    const tools = [discovered({ inputSchema: manyLargePatterns(8) })];
    expect(decide({ tools, services }).status.availableTools).toBe(200);
  });

  it("looks at no more Services than it lists tools", () => {
    const services = Array.from({ length: 3_000 }, (_, index) => aService({ name: `s${index}` }));
    const tools = Array.from({ length: 128 }, (_, index) => discovered({ name: `e${index}` }));
    expect(decide({ tools, services }).status.tools).toHaveLength(1024);
  });

  it("reports a name that comes twice, and keeps the first", () => {
    const annotations = { [TOOL_NAME_ANNOTATION]: "a" };
    const { tools, status } = decide({
      tools: [{ name: "a", url: URL }, discovered()],
      services: [aService({ annotations })],
      probes: { [URL]: { reachable: true } },
    });
    expect(tools.map(({ url }) => url)).toEqual([URL]);
    expect(status.tools).toMatchObject([
      { available: true },
      { available: false, reason: "InvalidTool" },
    ]);
    expect(status.conditions?.[1]?.message).toContain('another tool before it is called "a" too');
  });

  it.each([
    ["http://127.0.0.1:9000", "/", "http://127.0.0.1:9000/"],
    ["http://127.0.0.1:9000/", "/find", "http://127.0.0.1:9000/find"],
    ["http://127.0.0.1:9000/api/", "/find", "http://127.0.0.1:9000/api/find"],
    ["http://127.0.0.1:9000/api", "/", "http://127.0.0.1:9000/api"],
  ])("lets %s stand for the Service, with path %s", (localURL, path, url) => {
    const service = aService({
      localURL,
      ports: [],
      annotations: { [TOOL_PATH_ANNOTATION]: path },
    });
    expect(urls({ services: [service] })).toEqual([url]);
    const [tool] = decide({ services: [service] }).tools;
    expect(tool?.allowedAddresses).toEqual(["private", "loopback"]);
  });

  it("says what the gatherer knows of a Service without endpoints", () => {
    const services = [aService({ readyEndpoints: false, problem: "give it the annotation" })];
    expect(decide({ services }).status.conditions?.[0]?.message).toContain(
      "give it the annotation",
    );
  });
});

describe("the addresses of a tool with a URL", () => {
  it("are those that are allowed, besides public ones", () => {
    const urlAddresses = ["10.0.0.0/8"];
    const [tool] = decide({ tools: [{ name: "a", url: URL }], urlAddresses }).tools;
    expect(tool?.allowedAddresses).toEqual(urlAddresses);
  });

  it("that are not allowed make it invalid, with the cure and without another word", () => {
    const probe = {
      reachable: false,
      refused: true,
      message: "its address is not allowed for tools",
    };
    const { status, tools } = decide({
      tools: [{ name: "a", url: URL }],
      probes: { [URL]: probe },
    });
    expect(status.tools).toMatchObject([{ available: false, reason: "InvalidTool" }]);
    expect(status.conditions?.[1]?.message).toContain(
      `${URL} may not be connected to: its address is not allowed for tools. Offer it as a Service, or have the operator's allowedToolNetworks list its network`,
    );
    expect(tools).toHaveLength(1);
  });
});

describe("the braces in the URL of a tool", () => {
  const problemOf = (type: string, url: string) =>
    decide({ tools: [{ name: "a", type, url }], probes: { [url]: { reachable: true } } }).status
      .tools;

  it("are arguments, or make an http tool invalid", () => {
    expect(problemOf("http", "http://shop/orders/{id}")).toMatchObject([{ available: true }]);
    expect(problemOf("http", "http://shop/orders/{id")).toMatchObject([{ reason: "InvalidTool" }]);
    expect(problemOf("mcp", "http://shop/orders/{id")).toMatchObject([{ available: true }]);
  });

  it("count for a Service as well", () => {
    const annotations = { [TOOL_PATH_ANNOTATION]: "/orders/{id" };
    const { status } = decide({ services: [aService({ annotations })] });
    expect(status.conditions?.[0]?.message).toContain("a brace that is not part of an argument");
  });
});

describe("a tool with a URL", () => {
  it("carries everything that the entry says", () => {
    const { tools } = decide({
      tools: [
        {
          name: "a",
          type: "openapi",
          url: URL,
          description: "d",
          method: "GET",
          inputSchema: { type: "object" },
          timeout: "1.5s",
          retries: 5,
          headers: { "x-team": "a" },
          authSecretRef: { name: "s", key: "k" },
          authType: "basic",
          responseLimit: "16Ki",
          maxParallel: 3,
          approval: { arguments: { required: ["amount"] } },
          allow: ["one", "do/two"],
          openapi: { server: "/v1" },
        },
      ],
      probes: { [URL]: { reachable: true } },
    });
    expect(tools).toEqual([
      {
        name: "a",
        type: "openapi",
        url: URL,
        description: "d",
        fallbackDescription: "a",
        method: "GET",
        inputSchema: { type: "object" },
        timeoutMs: 1500,
        retries: 5,
        headers: { "x-team": "a" },
        authSecretRef: { name: "s", key: "k" },
        authType: "basic",
        responseLimit: 16_384,
        maxParallel: 3,
        approval: { arguments: { required: ["amount"] } },
        allow: ["one", "do_two"],
        openapi: { server: "/v1" },
        available: true,
      },
    ]);
  });
});
