import { create, toBinary } from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { describe, expect, it } from "vitest";
import { aToolRegistry } from "../../../test/support/builders/resources.ts";
import { decideToolRegistry, type ToolRegistryDecision } from "./decide-tool-registry.ts";
import { type ConfigMapData, MAX_DESCRIPTOR_SET_BYTES } from "./descriptor-sets.ts";

const SHOP = "grpc://shop.example:50051";

/** As protoc writes it. `comment` makes it larger. */
function aDescriptorSet(services: readonly string[], comment = ""): string {
  const file = services.map((name) => ({
    name: `${name}.proto`,
    package: "shop.v1",
    service: [{ name }],
    sourceCodeInfo: { location: [{ path: [6, 0], leadingComments: comment }] },
  }));
  const set = create(FileDescriptorSetSchema, { file });
  return Buffer.from(toBinary(FileDescriptorSetSchema, set)).toString("base64");
}

interface Given {
  configMap?: ConfigMapData;
  grpc?: object;
  tools?: object[];
}

function decide({ configMap, grpc = {}, tools }: Given): ToolRegistryDecision {
  const entry = { name: "shop", type: "grpc", url: SHOP };
  const withSet = { ...entry, grpc: { descriptorSetRef: { name: "protos" }, ...grpc } };
  return decideToolRegistry({
    toolRegistry: aToolRegistry({ spec: { tools: tools ?? [withSet] } }),
    services: [],
    probes: new Map([[SHOP, { reachable: true }]]),
    configMaps: new Map(configMap === undefined ? [] : [["protos", configMap]]),
    now: 0,
  });
}

function messageOf({ status }: ToolRegistryDecision): string | undefined {
  return status.conditions?.find(({ type }) => type === "AllToolsReady")?.message;
}

const SET = aDescriptorSet(["Shop", "Admin"]);

describe("a set of descriptors", () => {
  it.each([
    ["binaryData", { binaryData: { "descriptors.pb": SET } }],
    ["data, as base64", { data: { "descriptors.pb": SET } }],
    ["lines", { data: { "descriptors.pb": `${SET.slice(0, 20)}\n${SET.slice(20)}\n` } }],
  ])("is taken from %s", (_, configMap) => {
    const decision = decide({ configMap, grpc: { services: ["shop.v1.Shop"] } });
    expect(decision.status.phase).toBe("Ready");
    expect(decision.tools[0]?.grpc).toMatchObject({
      descriptorSet: SET,
      services: ["shop.v1.Shop"],
    });
  });

  it("is taken from the key that is named", () => {
    const grpc = { descriptorSetRef: { name: "protos", key: "other" } };
    const decision = decide({ configMap: { binaryData: { other: SET } }, grpc });
    expect(decision.tools[0]?.grpc?.descriptorSet).toBe(SET);
  });

  it.each([
    ["that is not there", undefined, 'there is no ConfigMap "protos"'],
    ["without the key", { data: { a: "" } }, 'has no key "descriptors.pb", which'],
    ["without keys", {}, "it has none"],
    ["with other text", { data: { "descriptors.pb": "syntax =" } }, "is no base64; make it with"],
    ["with other bytes", { binaryData: { "descriptors.pb": "AAAA" } }, "is no set of descriptors"],
    ["with nothing", { binaryData: { "descriptors.pb": "" } }, "is no set of descriptors"],
    ["that breaks off", { binaryData: { "descriptors.pb": SET.slice(0, 32) } }, "is no set"],
    [
      "without services",
      { binaryData: { "descriptors.pb": aDescriptorSet([]) || "CgUKA2EuYg==" } },
      "has no service",
    ],
  ])("makes its tool invalid in a ConfigMap %s, with the cure", (_, configMap, message) => {
    const decision = decide(configMap === undefined ? {} : { configMap });
    expect(decision.status.tools).toMatchObject([{ available: false, reason: "InvalidTool" }]);
    expect(decision.tools).toEqual([]);
    expect(messageOf(decision)).toContain(message);
  });

  it("makes its tool invalid where it has not all services that are named", () => {
    const configMap = { binaryData: { "descriptors.pb": SET } };
    const decision = decide({ configMap, grpc: { services: ["shop.v1.Shop", "shop.v1.Shelf"] } });
    expect(messageOf(decision)).toContain(
      'has no service "shop.v1.Shelf"; it has "shop.v1.Shop", "shop.v1.Admin". Correct grpc.services',
    );
  });

  it("has a limit for all tools of a registry", () => {
    const large = aDescriptorSet(["Shop"], "x".repeat(MAX_DESCRIPTOR_SET_BYTES / 2));
    const configMap = { binaryData: { "descriptors.pb": large } };
    const tool = (name: string) => ({
      name,
      type: "grpc",
      url: SHOP,
      grpc: { descriptorSetRef: { name: "protos" } },
    });
    expect(decide({ configMap, tools: [tool("a")] }).status.phase).toBe("Ready");
    const decision = decide({ configMap, tools: [tool("a"), tool("b")] });
    expect(decision.tools.map(({ name }) => name)).toEqual(["a"]);
    expect(messageOf(decision)).toContain("256 KiB together. Make it of fewer .proto files");
  });

  it("is needed by no tool that names none", () => {
    const decision = decide({ tools: [{ name: "shop", type: "grpc", url: SHOP }] });
    expect(decision.status.phase).toBe("Ready");
    expect(decision.tools[0]?.grpc).toBeUndefined();
  });
});
