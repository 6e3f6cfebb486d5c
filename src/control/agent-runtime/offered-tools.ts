/** Finds which tools of a registry a prompt offers to the model, and under which names. */
import type { AgentConfig, ToolConfig } from "../../agent-config/agent-config.ts";
import type { PackTool } from "../../promptpack/document/tools.ts";
import type { ResolvedStep } from "../../promptpack/render/resolve-step.ts";
import { TOOLS_FOLDER } from "./agent-facts.ts";
import type { ToolOutcome } from "../tool-registry/resolve-tools.ts";
import type { ResolvedTool } from "../tool-registry/resolved-tool.ts";
import { PairMemory } from "../pair-memory.ts";
import { SERVER_TYPES } from "../tool-registry/server-tools.ts";

type ToolNaming = Pick<ResolvedStep, "blocklist" | "packTools"> & {
  readonly tools?: readonly string[] | undefined;
};

/** Thousands of agents may offer the same tools of a registry to the same prompt. */
const offers = new PairMemory<readonly ResolvedTool[], ToolNaming, ToolConfig[]>();
const lacks = new PairMemory<readonly ResolvedTool[], ToolNaming, string[]>();

/** The tools come in the order of their names. The list is that of others too, and nobody may change it. */
export function offeredTools(tools: readonly ResolvedTool[], prompt: ToolNaming): ToolConfig[] {
  return offers.of(tools, prompt, () => offerOf(tools, prompt));
}

function offerOf(tools: readonly ResolvedTool[], prompt: ToolNaming): ToolConfig[] {
  return offeredConfigs(
    tools.map((tool) => toToolConfig(tool, findPackTool(tool.name, prompt.packTools))),
    prompt,
  );
}

/** Does the same for tools that were offered before. */
export function offeredConfigs(tools: readonly ToolConfig[], prompt: ToolNaming): ToolConfig[] {
  const offered = new Map<string, ToolConfig>();
  for (const tool of tools.flatMap((each) => restrict(each, prompt))) {
    if (!offered.has(tool.name)) offered.set(tool.name, tool);
  }
  return [...offered.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

/** Gives openapi servers whose document was not read yet what was read of it before, so that a restart takes no tools from agents. */
export function withEarlierOperations(
  tools: readonly ResolvedTool[],
  earlier: AgentConfig | undefined,
): readonly ResolvedTool[] {
  const before = [earlier?.tools, earlier?.prompt?.canary?.prompt.tools].flatMap(
    (each) => each ?? [],
  );
  if (tools.every(({ openapi }) => openapi === undefined || openapi.operations !== undefined)) {
    return tools;
  }
  return tools.map((tool) => {
    if (tool.openapi === undefined || tool.openapi.operations !== undefined) return tool;
    const known = before.find(
      ({ registryName, url, openapi }) =>
        registryName === tool.name &&
        url === tool.url &&
        openapi?.server === tool.openapi?.server &&
        openapi?.operations !== undefined,
    );
    if (known?.openapi === undefined) return tool;
    return { ...tool, openapi: known.openapi };
  });
}

/**
 * The tools that a prompt names and none of `tools` is, in the order of the pack. A prompt without a list of tools wants those
 * that its pack describes. Where a server may have any tool, because its list is not known, none is missing.
 */
export function missingTools(
  tools: readonly ResolvedTool[],
  prompt: ToolNaming & Pick<ResolvedStep, "toolChoice">,
): string[] {
  return lacks.of(tools, prompt, () => findMissing(tools, prompt));
}

function findMissing(
  tools: readonly ResolvedTool[],
  prompt: ToolNaming & Pick<ResolvedStep, "toolChoice">,
): string[] {
  if (prompt.toolChoice === "none") return [];
  // What is blocked counts as offered too: nobody misses it.
  const offered = offerOf(tools, { packTools: prompt.packTools, blocklist: [] });
  const servers = offered.filter(({ type }) => SERVER_TYPES.includes(type));
  const listedOf = new Map(tools.map(({ name, listed }) => [name, listed]));
  const servedBy = ({ registryName, allow }: ToolConfig): readonly string[] | undefined =>
    listedOf.get(registryName) ?? allow;
  if (servers.some((server) => servedBy(server) === undefined)) return [];
  const known = new Set([
    ...offered.flatMap(({ name, registryName }) => [underscored(name), underscored(registryName)]),
    ...servers.flatMap((server) =>
      (servedBy(server) ?? []).flatMap((name) => [
        underscored(name),
        underscored(`${server.registryName}_${name}`),
      ]),
    ),
    ...prompt.blocklist.flatMap((name) => spellings(name, prompt)),
  ]);
  const wanted = new Set(prompt.tools ?? Object.keys(prompt.packTools));
  return [...wanted].filter((name) => !spellings(name, prompt).some((each) => known.has(each)));
}

/** A pack may name a tool by its key, too. */
function spellings(written: string, { packTools }: Pick<ToolNaming, "packTools">): string[] {
  const packTool = Object.hasOwn(packTools, written) ? packTools[written] : undefined;
  return [underscored(written), underscored(packTool?.name ?? written)];
}

/** Answers no tool when the prompt does not want it, and a server with fewer tools when the prompt wants some of them. */
function restrict(tool: ToolConfig, prompt: ToolNaming): ToolConfig[] {
  if (isNamed(prompt.blocklist, tool, prompt)) return [];
  if (!SERVER_TYPES.includes(tool.type)) {
    return prompt.tools === undefined || isNamed(prompt.tools, tool, prompt) ? [tool] : [];
  }
  const { allow: served, ...server } = tool;
  const isBlocked = servedNames(prompt.blocklist, tool, prompt);
  const isWanted = servedNames(prompt.tools ?? [], tool, prompt);
  const wanted =
    prompt.tools === undefined || isNamed(prompt.tools, tool, prompt)
      ? served
      : (served?.filter(isWanted) ?? namesOf(prompt.tools, prompt));
  const allow = wanted?.filter((name) => !isBlocked(name));
  if (allow?.length === 0) return [];
  const block = prompt.blocklist.length === 0 ? undefined : namesOf(prompt.blocklist, prompt);
  return [{ ...server, allow, block }];
}

/** Whether a tool of a server is among the names, which may have the name of the server's entry before it. */
function servedNames(
  names: readonly string[],
  { registryName }: ToolConfig,
  prompt: ToolNaming,
): (name: string) => boolean {
  const written = new Set(names.flatMap((name) => spellings(name, prompt)));
  return (name) => [name, `${registryName}_${name}`].some((own) => written.has(underscored(own)));
}

/** What the pack calls the tools, by key and by name. */
function namesOf(names: readonly string[], { packTools }: ToolNaming): string[] {
  const all = names.flatMap((written) => {
    const packTool = Object.hasOwn(packTools, written) ? packTools[written] : undefined;
    return packTool === undefined ? [written] : [written, packTool.name];
  });
  return [...new Set(all)];
}

/** A registry writes the names of tools with "-", a pack with "_". */
function isNamed(
  names: readonly string[],
  { name, registryName }: ToolConfig,
  { packTools }: ToolNaming,
): boolean {
  const own = [underscored(name), underscored(registryName)];
  return names.some((written) =>
    spellings(written, { packTools }).some((each) => own.includes(each)),
  );
}

function findPackTool(
  registryName: string,
  packTools: Readonly<Record<string, PackTool>>,
): PackTool | undefined {
  const tools = Object.values(packTools);
  return (
    tools.find(({ name }) => name === registryName) ??
    tools.find(({ name }) => name === underscored(registryName))
  );
}

function underscored(name: string): string {
  return name.replaceAll("-", "_");
}

/** A server whose list is to be read. */
export interface ListedServer {
  /** Of the tool that stands for it in its registry. */
  readonly name: string;
  /** As agents have it, where no pack says anything of it. */
  readonly config: ToolConfig;
  readonly isReachable: boolean;
  readonly authSecretRef: ResolvedTool["authSecretRef"];
}

/** The servers among the tools of a registry. */
export function serversOf(outcomes: readonly ToolOutcome[]): ListedServer[] {
  return outcomes.flatMap(({ tool, problem }) =>
    tool === undefined || !SERVER_TYPES.includes(tool.type)
      ? []
      : [
          {
            name: tool.name,
            // What the registry says of the server is no part of what the server says of its tools.
            config: { ...toToolConfig(tool, undefined), description: tool.name },
            isReachable: problem === undefined,
            authSecretRef: tool.authSecretRef,
          },
        ],
  );
}

function toToolConfig(tool: ResolvedTool, packTool: PackTool | undefined): ToolConfig {
  const { authSecretRef, allow, forward, openapi, grpc } = tool;
  return {
    name: packTool?.name ?? tool.name,
    registryName: tool.name,
    type: tool.type,
    description: tool.description ?? packTool?.description ?? tool.fallbackDescription,
    url: tool.url,
    method: tool.method,
    inputSchema: { type: "object", properties: {}, ...(tool.inputSchema ?? packTool?.parameters) },
    timeoutMs: tool.timeoutMs,
    retries: tool.retries,
    headers: { ...tool.headers },
    authFile: authSecretRef && toolSecretPath(tool.name, authSecretRef.key),
    authType: tool.authType,
    authHeader: tool.authHeader,
    responseLimit: tool.responseLimit,
    maxParallel: tool.maxParallel,
    approval: tool.approval,
    allowedAddresses: tool.allowedAddresses && [...tool.allowedAddresses],
    allow: allow && [...allow],
    grpc: grpc && { descriptorSet: grpc.descriptorSet, services: grpc.services },
    forward: forward && [...forward],
    mcp: tool.mcp && structuredClone(tool.mcp),
    openapi: openapi && {
      server: openapi.server,
      operations: openapi.operations && [...openapi.operations],
    },
  };
}

export function toolSecretPath(registryName: string, key: string): string {
  return `${TOOLS_FOLDER}/${registryName}/${key}`;
}
