/** The budget of an agent for people: how many tokens it may use, and how many of today's are used. */
import { z } from "zod";
import { AGENT_RUNTIME } from "../../api/group.ts";
import type { ResourceView } from "./view.ts";

const maximum = z.int().optional().catch(undefined);
const specView = z.object({
  facade: z.object({ handler: z.string().default("runtime") }).prefault({}),
  session: z.object({ type: z.string().default("memory") }).prefault({}),
  replicas: z.number().default(1),
  budget: z.object({
    maxTokensPerTurn: maximum,
    maxTokensPerSession: maximum,
    maxTokensPerDay: maximum,
  }),
});

export interface AgentBudget {
  readonly perTurn: number | undefined;
  readonly perSession: number | undefined;
  readonly perDay: number | undefined;
  /** Whether each replica counts its own day. */
  readonly isOfEachReplica: boolean;
}

/** Undefined where there is none, or where it counts nothing, since only the handler `runtime` uses tokens. */
export function budgetOf({ kind, spec }: ResourceView): AgentBudget | undefined {
  const read = kind === AGENT_RUNTIME ? specView.safeParse(spec) : undefined;
  if (read?.success !== true || read.data.facade.handler !== "runtime") return undefined;
  const { budget, session, replicas } = read.data;
  const { maxTokensPerTurn, maxTokensPerSession, maxTokensPerDay } = budget;
  if ([maxTokensPerTurn, maxTokensPerSession, maxTokensPerDay].every((one) => one === undefined)) {
    return undefined;
  }
  return {
    perTurn: maxTokensPerTurn,
    perSession: maxTokensPerSession,
    perDay: maxTokensPerDay,
    isOfEachReplica: session.type !== "redis" && replicas > 1,
  };
}

/** `usedToday`: undefined where nobody told it. */
export function budgetText(budget: AgentBudget, usedToday: number | undefined): string {
  const { perTurn, perSession, perDay, isOfEachReplica } = budget;
  const day = isOfEachReplica ? "a day for each replica" : "a day";
  const maxima = [
    ...maximumText(perTurn, "a turn"),
    ...maximumText(perSession, "a session"),
    ...maximumText(perDay, day),
  ].join(", ");
  const used = perDay === undefined ? undefined : usedToday;
  if (used === undefined) return `${maxima} (tokens)`;
  const user = isOfEachReplica ? " by the replica that used the most" : "";
  const what = `${maxima} (tokens); ${number(used)} used since midnight UTC${user}`;
  return isSpent(budget, used) ? `${what}: no turn begins before the next midnight` : what;
}

export function isSpent({ perDay }: AgentBudget, usedToday: number | undefined): boolean {
  return perDay !== undefined && usedToday !== undefined && usedToday >= perDay;
}

function maximumText(tokens: number | undefined, of: string): string[] {
  return tokens === undefined ? [] : [`${number(tokens)} ${of}`];
}

function number(count: number): string {
  return count.toLocaleString("en-US");
}
