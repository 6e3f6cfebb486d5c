/** Asks a gateway how many tokens agents have used today. Whatever goes wrong, the rest of what a command shows is right without it. */
import { agentDetailSchema } from "../../http-api/agent-views.ts";
import { systemClock } from "../../time/clock.ts";
import { within } from "../../time/within.ts";
import type { GatewayApi } from "../gateway-api/gateway-api.ts";
import { withGateway } from "../gateway-api/with-gateway.ts";
import type { SourceFlags } from "../source/choose-source.ts";
import type { Streams } from "../terminal/streams.ts";
import { budgetOf } from "./budget.ts";
import { shownName, type ResourceView } from "./view.ts";

const ASKED_AT_ONCE = 8;
/** Of more agents only the first ones are asked. */
const MAX_ASKED = 64;
const TIMEOUT_MS = 5_000;

/** By `namespace/name`, for agents with a budget for the day that told it in time. */
export type UsedToday = ReadonlyMap<string, number>;

export async function readUsedToday(
  resources: readonly ResourceView[],
  { state, local, context }: SourceFlags,
  streams: Streams,
): Promise<UsedToday> {
  const asked = resources.filter((one) => budgetOf(one)?.perDay !== undefined).slice(0, MAX_ASKED);
  const used = new Map<string, number>();
  if (asked.length === 0) return used;
  const gateway = { stateFolder: state, local, context };
  const asking = withGateway(gateway, streams, (api) => askAll(api, asked, used)).catch(() => {});
  await within(TIMEOUT_MS, asking, systemClock);
  // What comes later changes nothing of what is shown.
  return new Map(used);
}

async function askAll(
  api: GatewayApi,
  agents: readonly ResourceView[],
  used: Map<string, number>,
): Promise<void> {
  for (let at = 0; at < agents.length; at += ASKED_AT_ONCE) {
    const some = agents.slice(at, at + ASKED_AT_ONCE);
    await Promise.all(
      some.map(async (agent) => {
        const tokens = await askOne(api, agent).catch(() => undefined);
        if (tokens !== undefined) used.set(shownName(agent), tokens);
      }),
    );
  }
}

async function askOne(api: GatewayApi, { metadata }: ResourceView): Promise<number | undefined> {
  const { namespace, name } = metadata;
  const path = `/agents/${encodeURIComponent(namespace)}/${encodeURIComponent(name)}`;
  const { budget } = await api.get(path, agentDetailSchema);
  return budget?.tokensToday;
}
