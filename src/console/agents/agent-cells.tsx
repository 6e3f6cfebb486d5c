import { memo } from "react";
import type { AgentView } from "../../http-api/agent-views.ts";
import { Badge } from "../parts/badge.tsx";
import { RowLink } from "../parts/row-link.tsx";
import { toneOfPhase } from "../parts/tone-of-phase.ts";
import { Cause, Name } from "../resource/list-cells.tsx";
import list from "../resource/list.module.css";

/** The cells of an agent. One that is not ready has a second line. */
export const AgentCells = memo(function AgentCells({ agent }: { agent: AgentView }) {
  const { namespace, name, phase, ready, wanted, explain, pack, connections } = agent;
  return (
    <>
      <Name namespace={namespace}>
        <RowLink to={`/agents/${namespace}/${name}`}>{name}</RowLink>
      </Name>
      <span role="cell">
        <Badge tone={toneOfPhase(phase, explain !== undefined)}>{phase}</Badge>
      </span>
      <span role="cell" className={list.number}>
        {ready}/{wanted}
      </span>
      <span role="cell" className={list.text} title={agent.model}>
        {agent.model ?? agent.handler}
      </span>
      <span role="cell" className={list.text} title={pack?.name}>
        {packText(pack)}
      </span>
      <span role="cell" className={list.number}>
        {connections ?? "–"}
        <span className={list.unit}> connections</span>
      </span>
      <Cause explain={explain} name={name} />
    </>
  );
});

function packText(pack: AgentView["pack"]): string {
  if (pack === undefined) return "–";
  const { name, version, canary } = pack;
  // A pack that is not there has a name alone.
  if (version === "") return name;
  return canary === undefined ? version : `${version} (${canary.weight} % → ${canary.version})`;
}
