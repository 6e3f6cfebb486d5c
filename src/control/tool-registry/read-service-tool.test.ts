import { describe, expect, it } from "vitest";
import {
  TOOL_LABEL,
  TOOL_NAME_ANNOTATION,
  TOOL_PATH_ANNOTATION,
  TOOL_TYPE_ANNOTATION,
} from "../../api/group.ts";
import { toolEntrySchema } from "../../api/tool-registry.ts";
import { readServiceTool } from "./read-service-tool.ts";
import type { ServiceView } from "./service-view.ts";
import { ToolSchemas } from "./tool-schemas.ts";

interface Given {
  type?: string;
  path?: string;
  port?: ServiceView["ports"][number];
  localURL?: string;
  entryType?: string;
}

function read({ type, path, port = { port: 9000 }, localURL, entryType = "http" }: Given) {
  const entry = toolEntrySchema.parse({ name: "found", type: entryType, selector: {} });
  return readServiceTool(
    entry,
    {
      name: "orders",
      namespace: "shop",
      labels: { [TOOL_LABEL]: "true" },
      annotations: {
        ...(type !== undefined && { [TOOL_TYPE_ANNOTATION]: type }),
        ...(path !== undefined && { [TOOL_PATH_ANNOTATION]: path }),
        [TOOL_NAME_ANNOTATION]: "shop_orders",
      },
      ports: [port],
      readyEndpoints: true,
      backedBy: "pods",
      localURL,
    },
    "found",
    new ToolSchemas(),
  );
}

describe("the tool that a Service describes", () => {
  it.each([
    ["http", undefined, "http://orders.shop.svc:9000/"],
    ["mcp", "/mcp", "http://orders.shop.svc:9000/mcp"],
    ["openapi", "openapi.json", "http://orders.shop.svc:9000/openapi.json"],
    ["grpc", undefined, "grpc://orders.shop.svc:9000"],
    ["grpc", "/", "grpc://orders.shop.svc:9000"],
    ["grpc", "/prefix", "grpc://orders.shop.svc:9000/prefix"],
  ])("has the type %s and the path %s", (type, path, url) => {
    const expected = { name: "shop_orders", type, url, problem: "" };
    expect(read({ type, ...(path !== undefined && { path }) })).toMatchObject(expected);
  });

  it("has the type of its entry when the Service names none", () => {
    expect(read({ entryType: "grpc" })).toMatchObject({
      type: "grpc",
      url: "grpc://orders.shop.svc:9000",
    });
    expect(read({ entryType: "grpc", type: "mcp" })).toMatchObject({
      type: "mcp",
      url: "http://orders.shop.svc:9000/",
    });
  });

  it.each([
    ["http", { port: 443 }, "https://orders.shop.svc:443/"],
    ["mcp", { port: 8443, appProtocol: "https" }, "https://orders.shop.svc:8443/"],
    ["openapi", { port: 8443, name: "https" }, "https://orders.shop.svc:8443/"],
    ["grpc", { port: 443 }, "grpcs://orders.shop.svc:443"],
    ["grpc", { port: 9443, appProtocol: "grpcs" }, "grpcs://orders.shop.svc:9443"],
    ["grpc", { port: 9443, appProtocol: "https" }, "grpcs://orders.shop.svc:9443"],
    ["grpc", { port: 9443, name: "grpcs" }, "grpcs://orders.shop.svc:9443"],
    ["grpc", { port: 50051, appProtocol: "grpc" }, "grpc://orders.shop.svc:50051"],
    ["grpc", { port: 50051, appProtocol: "kubernetes.io/h2c" }, "grpc://orders.shop.svc:50051"],
  ])("of type %s is spoken to as its port says: %j", (type, port, url) => {
    expect(read({ type, port }).url).toBe(url);
  });

  it.each([
    ["mcp", "http://localhost:9000", "/mcp", "http://localhost:9000/mcp"],
    ["grpc", "grpc://localhost:9000/", undefined, "grpc://localhost:9000"],
    ["grpc", "http://localhost:9000", undefined, "http://localhost:9000"],
    [
      "openapi",
      "http://localhost:9000/openapi.json",
      undefined,
      "http://localhost:9000/openapi.json",
    ],
  ])("of type %s may have another address on one machine: %s", (type, localURL, path, url) => {
    expect(read({ type, localURL, ...(path !== undefined && { path }) }).url).toBe(url);
  });

  it.each(["http", "mcp", "openapi"])("of type %s cannot be at an address of gRPC", (type) => {
    const { url, problem } = read({ type, localURL: "grpc://localhost:9000" });
    expect(url).toBeUndefined();
    expect(problem).toContain(`a tool of type ${type} has an http or https URL`);
  });
});
