/**
 * The tools of a server, which is an entry of type mcp, openapi or grpc: what the status says of each, and which of them have
 * changed since they were allowed.
 */
import type { ToolRegistryStatus } from "../../api/tool-registry.ts";
import { contentHash } from "../../promptpack/document/content-hash.ts";
import type { KnownList, ReadList } from "../../tool-servers/lists/known-list.ts";
import { chosenTools } from "../../tool-servers/server/chosen-tools.ts";
import { listNames } from "../object-name.ts";
import type { ResolvedTool, ToolType } from "./resolved-tool.ts";
import type { ToolOutcome, ToolProblem } from "./resolve-tools.ts";

export type ToolStatus = NonNullable<ToolRegistryStatus["tools"]>[number];

/** The list of each server that was read, by the name of the tool that stands for the server. */
export type ToolLists = ReadonlyMap<string, KnownList>;

/** The types of entries that stand for a server with tools of its own. */
export const SERVER_TYPES: readonly ToolType[] = ["mcp", "openapi", "grpc"];

const MAX_NAME_LENGTH = 256;
const MAX_MESSAGE_LENGTH = 256;

export interface ServerTools {
  /** Never empty. */
  readonly rows: readonly ToolStatus[];
  readonly problems: readonly ToolProblem[];
  /** The names of the tools that it offers. `undefined` while they are not known. */
  readonly listed: readonly string[] | undefined;
  /** The names of those whose description or input schema is another one than when the status was written last. */
  readonly changed: readonly string[];
}

/** `earlier` are the rows of the status that was written last. They tell of a server whose list cannot be read just now. */
export function serverTools(
  outcome: ToolOutcome & { readonly tool: ResolvedTool },
  list: KnownList | undefined,
  earlier: readonly ToolStatus[],
): ServerTools {
  const { name, endpoint } = outcome;
  const own = earlier.filter((row) => row.server === name && row.endpoint === endpoint);
  if (list?.state === "read") return fromList(outcome, list, own);
  const problem = outcome.problem ?? (list && { reason: list.reason, message: list.message });
  const kept = allowed(own, outcome.tool);
  const rows = kept.map((row) => restated(row, problem?.reason));
  const before: readonly { readonly name: string }[] =
    list?.before?.tools ?? kept.filter(({ hash }) => hash !== undefined);
  return {
    rows: rows.length > 0 ? rows : [rowOf(outcome, problem?.reason)],
    problems: problem === undefined ? [] : [{ tool: name, ...problem }],
    listed:
      list?.before === undefined && kept.length === 0
        ? undefined
        : allowed(before, outcome.tool).map((tool) => tool.name),
    changed: [],
  };
}

/** The row of an entry or a Service as a whole. */
export function rowOf(
  { name, type, endpoint }: ToolOutcome,
  reason: string | undefined,
): ToolStatus {
  return { name, type, endpoint, available: reason === undefined, reason };
}

function fromList(
  outcome: ToolOutcome & { readonly tool: ResolvedTool },
  list: ReadList,
  earlier: readonly ToolStatus[],
): ServerTools {
  const { name: server, type, endpoint, tool, problem } = outcome;
  const before = new Map(earlier.map((row) => [row.name, row]));
  const offered = allowed(list.tools, tool);
  const unsupported = allowed(list.unsupported, tool);
  const all = [...list.tools, ...list.unsupported];
  const known = new Set(all.map(({ name }) => name));
  const missing = (tool.allow ?? []).filter(
    (name) => !known.has(name) && allowed(all, { name: server, allow: [name] }).length === 0,
  );
  const row = (name: string, more: Partial<ToolStatus>): ToolStatus => ({
    name: name.slice(0, MAX_NAME_LENGTH),
    type,
    endpoint,
    available: false,
    server,
    ...more,
  });
  const rows = [
    ...offered.map((each) =>
      row(each.name, {
        available: problem === undefined,
        reason: problem?.reason,
        hash: hashOf(each),
      }),
    ),
    ...unsupported.map(({ name, reason }) =>
      row(name, { reason: "Unsupported", message: shortened(reason) }),
    ),
    // Its hash is kept, so that a server cannot take a tool back for a while and bring another one under its name.
    ...missing.map((name) =>
      row(name, { reason: "NotFound", message: NOT_FOUND, hash: before.get(name)?.hash }),
    ),
  ];
  const problems = [
    ...(problem === undefined ? [] : [{ tool: server, ...problem }]),
    ...missing.map((name) => invalid(name, missingMessage(server, list, type))),
    ...(tool.allow === undefined ? [] : unsupported).map(({ name, reason }) =>
      invalid(name, `it cannot be offered: ${shortened(reason)}`),
    ),
  ];
  const changed = offered.filter((each) => {
    const hash = before.get(each.name.slice(0, MAX_NAME_LENGTH))?.hash;
    return hash !== undefined && hash !== hashOf(each);
  });
  return {
    rows: rows.length > 0 ? rows : [rowOf(outcome, problem?.reason ?? "NoTools")],
    problems:
      problems.length > 0 || offered.length > 0 ? problems : [invalid(server, noneOf(list))],
    listed: offered.map(({ name }) => name),
    changed: changed.map(({ name }) => name),
  };
}

const NOT_FOUND = "the server has no such tool";

function missingMessage(server: string, { tools }: ReadList, type: ToolType): string {
  // Of a document only those are read that are allowed.
  const names = tools.map(({ name }) => name);
  const has = type === "openapi" || names.length === 0 ? "" : `, which has ${listNames(names)}`;
  return `there is no such tool on the server of "${server}"${has}. Correct its name in allow, or remove it from there`;
}

function noneOf({ unsupported }: ReadList): string {
  const [first] = unsupported;
  return first === undefined
    ? "its server has no tools; see that its address is the right one"
    : `none of the tools of its server can be offered. "${first.name}": ${shortened(first.reason)}`;
}

function invalid(tool: string, message: string): ToolProblem {
  return { tool, reason: "InvalidTool", message };
}

/** What agents offer of it, by their own rule. */
function allowed<Tool extends { readonly name: string }>(
  tools: readonly Tool[],
  { name: registryName, allow }: Pick<ResolvedTool, "name" | "allow">,
): readonly Tool[] {
  return chosenTools(tools, { registryName, allow: allow && [...allow], block: undefined });
}

/** A row of an earlier list, for what is known of the server by now. What no server can give stays as it is. */
function restated(row: ToolStatus, reason: string | undefined): ToolStatus {
  const isOffered = row.message === undefined;
  return isOffered ? { ...row, available: reason === undefined, reason } : row;
}

/** By the tool as it was read, which is the same while its list does not change. */
const hashes = new WeakMap<object, string>();

function hashOf(tool: ReadList["tools"][number]): string {
  const hash = hashes.get(tool) ?? contentHash([tool.description, tool.inputSchema]);
  hashes.set(tool, hash);
  return hash;
}

function shortened(text: string): string {
  return text.length <= MAX_MESSAGE_LENGTH ? text : `${text.slice(0, MAX_MESSAGE_LENGTH - 1)}…`;
}
