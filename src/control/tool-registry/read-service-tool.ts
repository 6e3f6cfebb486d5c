/** Reads from the annotations and the ports of a Service which tool it is. */
import {
  LOCAL_URL_ANNOTATION,
  TOOL_DESCRIPTION_ANNOTATION,
  TOOL_NAME_ANNOTATION,
  TOOL_PATH_ANNOTATION,
  TOOL_SCHEMA_ANNOTATION,
  TOOL_TYPE_ANNOTATION,
} from "../../api/group.ts";
import { toolEntrySchema, type ToolEntry } from "../../api/tool-registry.ts";
import type { ToolType } from "./resolved-tool.ts";
import type { ServiceView } from "./service-view.ts";
import type { ToolSchemas } from "./tool-schemas.ts";

/** Every provider accepts such a name of a tool. */
const TOOL_NAME = /^[a-zA-Z0-9_-]{1,64}$/;
const PATH = /^\/[!-~]*$/;
/** As `appProtocol` and names of ports have them. */
const SECURE_PROTOCOLS = new Set<string | undefined>(["https", "grpcs"]);
const MAX_SHOWN_CHARACTERS = 64;
const TOOL_TYPES: readonly string[] = toolEntrySchema.shape.type.unwrap().options;

export interface ServiceTool {
  readonly name: string;
  readonly type: ToolType;
  /** `undefined` when the Service is no usable tool. `problem` says why. */
  readonly url: string | undefined;
  readonly problem: string;
  readonly description?: string | undefined;
  readonly inputSchema?: Readonly<Record<string, unknown>> | undefined;
}

/** `name` is the name of the tool when the Service gives none. */
export function readServiceTool(
  entry: ToolEntry,
  service: ServiceView,
  name: string,
  schemas: ToolSchemas,
): ServiceTool {
  const { annotations } = service;
  const given = annotations[TOOL_NAME_ANNOTATION] ?? name;
  const written = annotations[TOOL_TYPE_ANNOTATION] ?? entry.type;
  const type = typeProblem(written) === undefined ? (written as ToolType) : entry.type;
  const schema = readSchema(annotations[TOOL_SCHEMA_ANNOTATION], entry, schemas);
  const address = addressOf(entry, service, type);
  const description = annotations[TOOL_DESCRIPTION_ANNOTATION] ?? entry.description;
  const approvalProblem = schemas.approvalProblem(entry);
  const problem =
    nameProblem(given) ??
    typeProblem(written) ??
    schema.problem ??
    (approvalProblem &&
      `has the approval of its entry, which cannot be used: ${approvalProblem}`) ??
    address.problem ??
    "";
  return {
    name: nameProblem(given) === undefined ? given : name,
    type,
    url: problem === "" ? address.url : undefined,
    problem,
    description,
    inputSchema: schema.schema,
  };
}

function nameProblem(name: string): string | undefined {
  if (TOOL_NAME.test(name)) return undefined;
  return `has an annotation ${TOOL_NAME_ANNOTATION} of ${shown(name)}, which is no name: use up to 64 letters, digits, "_" and "-"`;
}

function typeProblem(type: string): string | undefined {
  if (TOOL_TYPES.includes(type)) return undefined;
  return `has an annotation ${TOOL_TYPE_ANNOTATION} of ${shown(type)}, which is none of ${TOOL_TYPES.join(", ")}`;
}

function shown(value: string): string {
  return JSON.stringify(
    value.length > MAX_SHOWN_CHARACTERS ? `${value.slice(0, MAX_SHOWN_CHARACTERS)}…` : value,
  );
}

function readSchema(
  text: string | undefined,
  entry: ToolEntry,
  schemas: ToolSchemas,
): { schema?: ServiceTool["inputSchema"]; problem?: string | undefined } {
  if (text === undefined) {
    const { inputSchema } = entry;
    const problem = inputSchema && schemas.problemOf(inputSchema);
    return problem === undefined
      ? { schema: inputSchema }
      : { problem: `has the inputSchema of its entry, which cannot be used: ${problem}` };
  }
  const read = schemas.read(text);
  return "schema" in read
    ? read
    : { problem: `has an annotation ${TOOL_SCHEMA_ANNOTATION} that ${read.problem}` };
}

function addressOf(
  entry: ToolEntry,
  service: ServiceView,
  type: ToolType,
): { url?: string; problem?: string } {
  const path = service.annotations[TOOL_PATH_ANNOTATION] ?? "/";
  const written = path.startsWith("/") ? path : `/${path}`;
  if (!PATH.test(written)) {
    const problem = `has an annotation ${TOOL_PATH_ANNOTATION} of ${shown(path)}, which is no path of a URL`;
    return { problem };
  }
  const { base, problem } =
    service.localURL === undefined
      ? clusterBase(entry, service, type)
      : localBase(service.localURL, type);
  if (base === undefined) return { problem };
  // What stands before the methods of a gRPC server is a prefix, and mostly there is none.
  const isBare = type === "grpc" || new URL(base).pathname !== "/";
  return { url: written === "/" && isBare ? base : base + written };
}

/** `base` is a URL without a "/" at its end. */
type BaseResult = { base: string; problem?: undefined } | { base?: undefined; problem: string };

function localBase(localURL: string, type: ToolType): BaseResult {
  const url = URL.parse(localURL);
  if (url === null || !/^(https?|grpcs?):$/.test(url.protocol) || url.host === "") {
    return {
      problem: `has an annotation ${LOCAL_URL_ANNOTATION} that is no URL like http://localhost:9000`,
    };
  }
  if (type !== "grpc" && !url.protocol.startsWith("http")) {
    return {
      problem: `has an annotation ${LOCAL_URL_ANNOTATION} that begins with ${url.protocol}//, and a tool of type ${type} has an http or https URL`,
    };
  }
  return { base: withoutEndingSlashes(`${url.protocol}//${url.host}${url.pathname}`) };
}

function withoutEndingSlashes(text: string): string {
  let end = text.length;
  while (text[end - 1] === "/") end -= 1;
  return text.slice(0, end);
}

function clusterBase(
  { port: wanted }: ToolEntry,
  service: ServiceView,
  type: ToolType,
): BaseResult {
  const { name, namespace, ports } = service;
  const known = ports.map((port) => port.name ?? String(port.port)).join(", ");
  const port =
    wanted === undefined && ports.length === 1
      ? ports[0]
      : ports.find((one) => one.port === Number(wanted) || one.name === wanted);
  if (port === undefined) {
    if (ports.length === 0) return { problem: "has no port" };
    return {
      problem:
        wanted === undefined
          ? `has several ports (${known}); set the entry's port to one of them`
          : `has no port ${wanted}; it has ${known}. Correct the entry's port`,
    };
  }
  const isSecure =
    SECURE_PROTOCOLS.has(port.appProtocol) || SECURE_PROTOCOLS.has(port.name) || port.port === 443;
  const scheme = `${type === "grpc" ? "grpc" : "http"}${isSecure ? "s" : ""}`;
  return { base: `${scheme}://${name}.${namespace}.svc:${port.port}` };
}
