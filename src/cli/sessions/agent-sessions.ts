/** The sessions of agents, over the HTTP API of a gateway. */
import { pageOf } from "../../http-api/page.ts";
import { MAX_PAGE_SIZE } from "../../http-api/paths.ts";
import {
  sessionTimelineSchema,
  sessionViewSchema,
  type SessionTimeline,
  type SessionView,
} from "../../http-api/session-views.ts";
import { ApiRefusal, type GatewayApi } from "../gateway-api/gateway-api.ts";
import { CliError } from "../terminal/cli-error.ts";
import { type AgentName, chooseAgent, listAgents } from "./choose-agent.ts";

const sessionPageSchema = pageOf(sessionViewSchema);
/** Agents that are asked at a time whether a session is theirs. */
const ASKED_AT_ONCE = 8;

export interface SessionFilter {
  readonly limit: number;
  readonly state?: string | undefined;
}

/** `hasMore`: there are others beyond the limit. */
export async function listSessions(
  api: GatewayApi,
  agent: AgentName,
  { limit, state }: SessionFilter,
): Promise<{ sessions: SessionView[]; hasMore: boolean }> {
  const sessions: SessionView[] = [];
  let after: string | undefined;
  do {
    const wanted = Math.min(limit - sessions.length, MAX_PAGE_SIZE);
    const query = new URLSearchParams({ limit: String(wanted) });
    if (state !== undefined) query.set("state", state);
    if (after !== undefined) query.set("after", after);
    const page = await api.get(`${pathOf(agent)}?${query.toString()}`, sessionPageSchema);
    sessions.push(...page.items);
    after = page.next;
  } while (after !== undefined && sessions.length < limit);
  return { sessions: sessions.slice(0, limit), hasMore: after !== undefined };
}

/** Undefined: the agent has no such session. */
export async function readSession(
  api: GatewayApi,
  agent: AgentName,
  id: string,
): Promise<SessionTimeline | undefined> {
  try {
    return await api.get(`${pathOf(agent)}/${encodeURIComponent(id)}`, sessionTimelineSchema);
  } catch (error) {
    if (error instanceof ApiRefusal && error.status === 404) return undefined;
    throw error;
  }
}

export async function deleteSession(api: GatewayApi, agent: AgentName, id: string): Promise<void> {
  await api.delete(`${pathOf(agent)}/${encodeURIComponent(id)}`);
}

export interface FoundSession {
  readonly agent: AgentName;
  readonly timeline: SessionTimeline;
}

/** The session of the agent that is named, or else of whichever agent has it. */
export async function findSession(
  api: GatewayApi,
  id: string,
  { agent, namespace }: { agent?: string | undefined; namespace?: string | undefined },
): Promise<FoundSession> {
  if (agent !== undefined) {
    const chosen = await chooseAgent(api, agent, namespace);
    const timeline = await readSession(api, chosen, id);
    if (timeline !== undefined) return { agent: chosen, timeline };
    throw new CliError(`Agent ${chosen.namespace}/${chosen.name} has no session ${id}.`, {
      cure: "It may have ended. The sessions that there are: omnia sessions ls",
    });
  }
  const agents = (await listAgents(api, namespace)).filter(({ can }) => can.sessions);
  for (let at = 0; at < agents.length; at += ASKED_AT_ONCE) {
    const found = await Promise.all(
      agents.slice(at, at + ASKED_AT_ONCE).map(async (asked) => {
        const timeline = await readSession(api, asked, id).catch(unlessUnavailable);
        return timeline === undefined ? undefined : { agent: asked, timeline };
      }),
    );
    const first = found.find((each) => each !== undefined);
    if (first !== undefined) return first;
  }
  throw new CliError(`No agent has a session ${id}.`, {
    cure: "It may have ended, or an agent that has it does not answer. Name the agent with --agent to be told why.",
  });
}

/** An agent that does not answer may well not be the one. */
function unlessUnavailable(error: unknown): undefined {
  if (!(error instanceof ApiRefusal) || error.status === 401) throw error;
}

function pathOf({ namespace, name }: AgentName): string {
  return `/agents/${encodeURIComponent(namespace)}/${encodeURIComponent(name)}/sessions`;
}
