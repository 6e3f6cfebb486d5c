/**
 * Resolves the entries of a ToolRegistry to tools. An entry with a URL is one tool; an entry with a selector has a tool for
 * each Service that matches.
 */
import type { ConditionReason } from "../../api/conditions.ts";
import { parseDuration } from "../../api/fields/duration.ts";
import { TOOL_LABEL } from "../../api/group.ts";
import {
  type AllowedAddresses,
  MACHINE_ADDRESSES,
  PRIVATE_ADDRESSES,
} from "../../network/address-verdict.ts";
import { pathTemplateProblem } from "../../agent-config/path-template.ts";
import { listNames } from "../object-name.ts";
import { operationToolName } from "../../tool-servers/openapi/tool-name.ts";
import { responseBytes, type ToolEntry } from "../../api/tool-registry.ts";
import { noCredential } from "./no-credential.ts";
import { readServiceTool, type ServiceTool } from "./read-service-tool.ts";
import type { ResolvedTool } from "./resolved-tool.ts";
import type { ServiceView } from "./service-view.ts";
import { ToolSchemas } from "./tool-schemas.ts";

export interface ToolProblem {
  readonly tool: string;
  readonly reason: Exclude<ConditionReason<"ToolRegistry", "AllToolsReady">, "AllReady">;
  /** It has the cure, and not the tool's name. */
  readonly message: string;
}

/** The outcome for an entry, or for one Service that an entry selects. */
export interface ToolOutcome {
  readonly name: string;
  readonly type: ToolEntry["type"];
  readonly endpoint?: string | undefined;
  /** `undefined` for an invalid tool. */
  readonly tool?: ResolvedTool | undefined;
  readonly problem?: Omit<ToolProblem, "tool"> | undefined;
}

/** For each URL, whether it can be connected to, and why not. */
export type ProbedURLs = ReadonlyMap<
  string,
  {
    readonly reachable: boolean;
    readonly message?: string | undefined;
    /** Whether the address rule forbids to connect. */
    readonly refused?: boolean | undefined;
  }
>;

/** Selectors may match any number of Services. More tools than this are left out, because a status lists no more. */
export const MAX_TOOLS = 1024;

/**
 * The outcomes come in the order of the entries, and for an entry in the order of the names of its Services. A tool whose name
 * was there before is invalid. `urlAddresses` are what a tool that is given by its URL may have, besides public addresses.
 * `runsCommands`: on a machine without a cluster a server may be a command.
 */
export function resolveTools(
  entries: readonly ToolEntry[],
  services: readonly ServiceView[],
  probes: ProbedURLs,
  urlAddresses?: AllowedAddresses,
  runsCommands = false,
): ToolOutcome[] {
  const schemas = new ToolSchemas();
  const names = new Set<string>();
  const outcomes: ToolOutcome[] = [];
  for (const entry of entries) {
    const left = MAX_TOOLS - outcomes.length;
    if (left <= 0) break;
    if (entry.mcp?.transport === "stdio") {
      outcomes.push(commandTool(entry, schemas, runsCommands));
      continue;
    }
    outcomes.push(
      ...(entry.url === undefined
        ? discover(entry, services, schemas, left)
        : [inlineTool({ ...entry, url: entry.url }, probes, schemas, urlAddresses)]),
    );
  }
  return outcomes.map((outcome) => {
    if (outcome.problem?.reason === "NoServices") return outcome;
    if (names.has(outcome.name)) return invalid(outcome, duplicateMessage(outcome.name));
    names.add(outcome.name);
    return outcome;
  });
}

function inlineTool(
  entry: ToolEntry & { url: string },
  probes: ProbedURLs,
  schemas: ToolSchemas,
  allowedAddresses: AllowedAddresses | undefined,
): ToolOutcome {
  const { name, type, url } = entry;
  const schemaProblem = entrySchemaProblem(entry, schemas);
  if (schemaProblem !== undefined) return invalid({ name, type, endpoint: url }, schemaProblem);
  const templateProblem = type === "http" ? pathTemplateProblem(url) : undefined;
  if (templateProblem !== undefined) {
    return invalid({ name, type, endpoint: url }, `it cannot be called: ${templateProblem}`);
  }
  const probe = probes.get(url);
  const available = probe?.reachable === true;
  const tool: ResolvedTool = {
    name,
    type,
    url,
    ...fromEntry(entry),
    ...openApiPart(type, entry),
    fallbackDescription: name,
    allowedAddresses,
    available,
  };
  if (available) return { name, type, endpoint: url, tool };
  const why = probe?.message ?? "it has not been tried yet";
  if (probe?.refused === true) {
    const cure =
      "Offer it as a Service, or have the operator's allowedToolNetworks list its network";
    const message = `${url} may not be connected to: ${why}. ${cure}`;
    return { name, type, endpoint: url, tool, problem: { reason: "InvalidTool", message } };
  }
  const message = `${url} cannot be connected to: ${why}. See that it runs and that its URL is right`;
  return { name, type, endpoint: url, tool, problem: { reason: "Unreachable", message } };
}

function entrySchemaProblem(entry: ToolEntry, schemas: ToolSchemas): string | undefined {
  const { inputSchema } = entry;
  const schemaProblem = inputSchema && schemas.problemOf(inputSchema);
  if (schemaProblem !== undefined) return `its inputSchema cannot be used: ${schemaProblem}`;
  const approvalProblem = schemas.approvalProblem(entry);
  return approvalProblem && `its approval cannot be used: ${approvalProblem}`;
}

function commandTool(entry: ToolEntry, schemas: ToolSchemas, runsCommands: boolean): ToolOutcome {
  const { name, type } = entry;
  const schemaProblem = entrySchemaProblem(entry, schemas);
  if (schemaProblem !== undefined) return invalid({ name, type }, schemaProblem);
  if (!runsCommands) {
    const message =
      "its mcp.transport is stdio, which only omnia up runs; serve it over HTTP, and give its url or a selector";
    return invalid({ name, type }, message);
  }
  const tool = { name, type, url: "", ...fromEntry(entry), fallbackDescription: name };
  return { name, type, tool: { ...tool, available: true } };
}

/** `most`: the Services that are looked at. */
function discover(
  entry: ToolEntry,
  services: readonly ServiceView[],
  schemas: ToolSchemas,
  most: number,
): ToolOutcome[] {
  const { matchLabels, names } = entry.selector ?? {};
  const wanted = Object.entries(matchLabels ?? {});
  const matches = services
    .filter(
      ({ name, labels }) =>
        (names === undefined || names.includes(name)) &&
        labels[TOOL_LABEL] === "true" &&
        wanted.every(([key, value]) => labels[key] === value),
    )
    .toSorted((a, b) => (a.name < b.name ? -1 : 1));
  if (matches.length === 0) {
    const labels = [[TOOL_LABEL, "true"], ...wanted].map(([key, value]) => `${key}=${value}`);
    const named = names === undefined ? "no Service" : `none of the Services ${listNames(names)}`;
    const field = names === undefined ? "selector.matchLabels" : "selector";
    const message = `${named} has the labels ${labels.join(", ")}; label the Service, with "true" in quotes, or correct ${field}`;
    return [{ name: entry.name, type: entry.type, problem: { reason: "NoServices", message } }];
  }
  // A single Service has the name of the entry. Several cannot share it, so each has its own name.
  const single = matches.length === 1;
  return matches.slice(0, most).map((service) => {
    const read = readServiceTool(entry, service, single ? entry.name : service.name, schemas);
    return discoveredTool(entry, service, read);
  });
}

function discoveredTool(entry: ToolEntry, service: ServiceView, read: ServiceTool): ToolOutcome {
  const { name, type } = read;
  if (read.url === undefined) {
    return invalid({ name, type }, `Service "${service.name}" ${read.problem}`);
  }
  const templateProblem = type === "http" ? pathTemplateProblem(read.url) : undefined;
  if (templateProblem !== undefined) {
    const message = `Service "${service.name}" cannot be called: ${templateProblem}`;
    return invalid({ name, type }, message);
  }
  const refusal = noCredential(entry, service);
  if (entry.authSecretRef !== undefined && refusal !== undefined) {
    return invalid({ name, type }, `Service "${service.name}" ${refusal}`);
  }
  const tool: ResolvedTool = {
    ...fromEntry(entry),
    ...openApiPart(type, entry),
    name,
    type,
    url: read.url,
    noCredential: refusal === undefined ? undefined : `Service "${service.name}" ${refusal}`,
    description: read.description,
    inputSchema: read.inputSchema,
    fallbackDescription: service.name,
    // A Service leads to pods, and no Service leads to the agent's own machine but the stand-in on a machine without a cluster.
    allowedAddresses: service.localURL === undefined ? PRIVATE_ADDRESSES : MACHINE_ADDRESSES,
    available: service.readyEndpoints,
  };
  if (service.readyEndpoints) return { name, type, endpoint: read.url, tool };
  const why = service.problem ?? "see that its pods run and are ready";
  const message = `Service "${service.name}" has no ready endpoint: ${why}`;
  return { name, type, endpoint: read.url, tool, problem: { reason: "NoReadyEndpoints", message } };
}

function invalid({ name, type, endpoint }: ToolOutcome, message: string): ToolOutcome {
  return {
    name,
    type,
    endpoint,
    problem: { reason: "InvalidTool", message },
  };
}

function duplicateMessage(name: string): string {
  return `another tool before it is called "${name}" too; give this one another name`;
}

type EntryPart = Pick<
  ResolvedTool,
  | "description"
  | "method"
  | "inputSchema"
  | "timeoutMs"
  | "retries"
  | "headers"
  | "authSecretRef"
  | "authType"
  | "authHeader"
  | "responseLimit"
  | "maxParallel"
  | "approval"
  | "allow"
  | "grpc"
  | "forward"
  | "mcp"
>;

/** What is only in an entry of an openapi server. Its operations may be allowed as their document writes them. */
function openApiPart(
  type: ToolEntry["type"],
  { openapi, allow }: ToolEntry,
): Pick<ResolvedTool, "openapi" | "allow"> {
  if (type !== "openapi") return { allow };
  const names = allow && [...new Set(allow.map(operationToolName))];
  return { openapi: { server: openapi?.server }, allow: names };
}

function fromEntry(entry: ToolEntry): EntryPart {
  const { description, method, inputSchema, timeout, retries, headers, authSecretRef, allow } =
    entry;
  const { authType, authHeader, responseLimit, maxParallel, forward, mcp, approval } = entry;
  return {
    description,
    method,
    inputSchema,
    timeoutMs: Math.max(1, Math.round(parseDuration(timeout))),
    retries,
    headers: headers ?? {},
    authSecretRef,
    authType,
    authHeader,
    responseLimit: responseLimit === undefined ? undefined : responseBytes(responseLimit),
    maxParallel,
    approval,
    allow,
    grpc: entry.grpc,
    forward,
    mcp,
  };
}
