/** All agents: what wants attention first, and why. */
import { useDeferredValue, useMemo } from "react";
import { getRouteApi } from "@tanstack/react-router";
import { agentsQuery } from "../api/queries.ts";
import { useList } from "../api/use-list.ts";
import { FilterBar } from "../parts/filter-bar.tsx";
import { ListState } from "../parts/list-state.tsx";
import { VirtualRows } from "../parts/virtual-rows.tsx";
import { AgentCells } from "./agent-cells.tsx";
import { EmptyAgents } from "./empty-agents.tsx";
import { filterAgents, orderAgents } from "./order-agents.ts";
import { secondLineOf } from "../resource/list-cells.tsx";
import list from "../resource/list.module.css";

const route = getRouteApi("/");
const PHASES = ["Running", "Pending", "Failed"];
const COLUMNS = ["Agent", "State", "Ready", "Model", "Pack", "Connections"];
const TEMPLATE = "minmax(0, 3fr) 116px 64px minmax(0, 2fr) minmax(0, 2fr) 96px";

export function AgentsPage() {
  const filter = route.useSearch();
  const navigate = route.useNavigate();
  const agents = useList(agentsQuery);
  const ordered = useMemo(() => orderAgents(agents.items ?? []), [agents.items]);
  // Typing stays quick, however many there are.
  const { q, ns, phase } = useDeferredValue(filter);
  const shown = useMemo(() => filterAgents(ordered, { q, ns, phase }), [ordered, q, ns, phase]);
  const change = (changes: { q?: string | undefined; phase?: string | undefined }): void => {
    void navigate({ search: (before) => ({ ...before, ...changes }), replace: true });
  };
  return (
    <div className={list.page}>
      <div className={list.head}>
        <h1>Agents</h1>
        <FilterBar
          label="Search agents"
          q={filter.q ?? ""}
          onSearch={(text) => change({ q: text || undefined })}
          choices={{
            label: "State",
            all: "All states",
            options: PHASES,
            chosen: filter.phase,
            onChoose: (chosen) => change({ phase: chosen }),
          }}
        />
      </div>
      <ListState list={agents} empty={<EmptyAgents />}>
        {shown.length === 0 ? (
          <p role="status">No agent matches.</p>
        ) : (
          <VirtualRows
            label="Agents"
            columns={COLUMNS}
            template={TEMPLATE}
            items={shown}
            keyOf={(agent) => `${agent.namespace}/${agent.name}`}
            secondLine={secondLineOf}
          >
            {(agent) => <AgentCells agent={agent} />}
          </VirtualRows>
        )}
      </ListState>
    </div>
  );
}
