/** Gives gRPC tools the descriptors that their entries name in a ConfigMap. */
import type { ToolEntry } from "../../api/tool-registry.ts";
import { descriptorSetServices } from "../../tool-servers/grpc/descriptor-set-services.ts";
import { listNames } from "../object-name.ts";
import type { ResolvedTool } from "./resolved-tool.ts";
import type { ToolOutcome } from "./resolve-tools.ts";

export interface ConfigMapData {
  readonly data?: Readonly<Record<string, string>> | undefined;
  /** The values are base64. */
  readonly binaryData?: Readonly<Record<string, string>> | undefined;
}

/** By name, those in the namespace of the registry. */
export type ConfigMaps = ReadonlyMap<string, ConfigMapData>;

/** The ConfigMaps that the entries name, each once. */
export function configMapNames(entries: readonly Pick<ToolEntry, "grpc">[]): string[] {
  return [...new Set(entries.flatMap(({ grpc }) => grpc?.descriptorSetRef?.name ?? []))];
}

/** Bytes of the descriptors of all tools of one registry. They stand in the agent config, which has to fit into a ConfigMap. */
export const MAX_DESCRIPTOR_SET_BYTES = 256 * 1024;

const BASE64 = /^([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}(==)?|[A-Za-z0-9+/]{3}=?)?$/;

/** A tool whose descriptors cannot be used is invalid. */
export function withDescriptorSets(
  outcomes: readonly ToolOutcome[],
  configMaps: ConfigMaps,
): ToolOutcome[] {
  let bytesLeft = MAX_DESCRIPTOR_SET_BYTES;
  return outcomes.map((outcome) => {
    const { tool } = outcome;
    if (tool?.grpc?.descriptorSetRef === undefined) return outcome;
    const read = readDescriptorSet(tool.grpc, configMaps, bytesLeft);
    if ("problem" in read) {
      const { name, type, endpoint } = outcome;
      return { name, type, endpoint, problem: { reason: "InvalidTool", message: read.problem } };
    }
    bytesLeft -= read.bytes.length;
    const descriptorSet = Buffer.from(read.bytes).toString("base64");
    return { ...outcome, tool: { ...tool, grpc: { ...tool.grpc, descriptorSet } } };
  });
}

type GrpcSettings = NonNullable<ResolvedTool["grpc"]>;

function readDescriptorSet(
  { descriptorSetRef, services = [] }: GrpcSettings,
  configMaps: ConfigMaps,
  bytesLeft: number,
): { readonly bytes: Uint8Array } | { readonly problem: string } {
  const { name = "", key = "" } = descriptorSetRef ?? {};
  const configMap = configMaps.get(name);
  if (configMap === undefined) {
    const problem = `there is no ConfigMap "${name}", which grpc.descriptorSetRef names; create it, or correct the name`;
    return { problem };
  }
  const value = valueOf(configMap, key);
  if (value === undefined) {
    const keys = [configMap.data, configMap.binaryData].flatMap((data = {}) => Object.keys(data));
    const has = keys.length === 0 ? "it has none" : `it has ${listNames(keys)}`;
    const problem = `ConfigMap "${name}" has no key "${key}", which grpc.descriptorSetRef names; ${has}. Add it, or correct the key`;
    return { problem };
  }
  const which = `the key "${key}" of ConfigMap "${name}"`;
  const text = value.replaceAll(/\s/g, "");
  if (!BASE64.test(text)) {
    return { problem: `${which} is no base64; ${HOW_TO_MAKE}` };
  }
  const bytes = Buffer.from(text, "base64");
  if (bytes.length > bytesLeft) {
    const most = `the descriptors of a registry's tools may have ${MAX_DESCRIPTOR_SET_BYTES / 1024} KiB together`;
    const problem = `${which} is too large: ${most}. Make it of fewer .proto files and without --include_source_info, or have the server describe itself by reflection`;
    return { problem };
  }
  const known = descriptorSetServices(bytes);
  if (known === undefined) return { problem: `${which} is no set of descriptors; ${HOW_TO_MAKE}` };
  const missing = services.filter((each) => !known.includes(each));
  if (known.length > 0 && missing.length === 0) return { bytes };
  const wants = missing.length === 0 ? "no service" : `no service ${listNames(missing)}`;
  const has = known.length === 0 ? "" : `; it has ${listNames(known)}. Correct grpc.services, or`;
  const problem = `${which} has ${wants}${has === "" ? ";" : has} make it of the .proto files that declare the services`;
  return { problem };
}

const HOW_TO_MAKE =
  "make it with protoc --descriptor_set_out=descriptors.pb --include_imports, and kubectl create configmap --from-file=descriptors.pb";

/** What is written as base64 into `data` counts as well. */
function valueOf({ data = {}, binaryData = {} }: ConfigMapData, key: string): string | undefined {
  if (Object.hasOwn(binaryData, key)) return binaryData[key];
  return Object.hasOwn(data, key) ? data[key] : undefined;
}
