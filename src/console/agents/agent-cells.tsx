import type { AgentView } from "../../http-api/agent-views.ts";
import list from "../resource/list.module.css";

/** What the list tells of an agent beside its name and its state. */
export function AgentCells({ item }: { item: AgentView }) {
  const { ready, wanted, model, handler, pack, connections } = item;
  return (
    <>
      <span role="cell" className={list.number}>
        {ready}/{wanted}
      </span>
      <span role="cell" className={list.text} title={model}>
        {model ?? handler}
      </span>
      <span role="cell" className={list.text} title={pack?.name}>
        {packText(pack)}
      </span>
      <span role="cell" className={list.number}>
        {connections ?? "–"}
        <span className={list.unit}> {connections === 1 ? "connection" : "connections"}</span>
      </span>
    </>
  );
}

function packText(pack: AgentView["pack"]): string {
  if (pack === undefined) return "–";
  const { name, version, canary } = pack;
  // A pack that is not there has a name alone.
  if (version === "") return name;
  return canary === undefined ? version : `${version} (${canary.weight} % → ${canary.version})`;
}
