/** All agents: what wants attention first, and why. */
import { useDeferredValue, useMemo } from "react";
import { getRouteApi } from "@tanstack/react-router";
import type { AgentView } from "../../http-api/agent-views.ts";
import { agentsQuery } from "../api/queries.ts";
import { useList } from "../api/use-list.ts";
import { ResourceListPage, type ResourceListLook } from "../resource/resource-list-page.tsx";
import { AgentCells } from "./agent-cells.tsx";
import { EmptyAgents } from "./empty-agents.tsx";
import { filterAgents, orderAgents } from "./order-agents.ts";

const route = getRouteApi("/");
const PHASES = ["Running", "Pending", "Failed"];
const LOOK: ResourceListLook<AgentView> = {
  title: "Agents",
  label: "Agents",
  path: "/agents",
  search: "Search agents",
  noMatch: "No agent matches.",
  nameColumn: "Agent",
  columns: [
    { name: "Ready", width: "64px" },
    { name: "Model", width: "minmax(0, 2fr)" },
    { name: "Pack", width: "minmax(0, 2fr)" },
    { name: "Connections", width: "96px" },
  ],
  Cells: AgentCells,
};

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
    <ResourceListPage
      look={LOOK}
      all={agents}
      shown={shown}
      q={filter.q}
      onSearch={(text) => change({ q: text })}
      choices={{
        label: "State",
        all: "All states",
        options: PHASES,
        chosen: filter.phase,
        onChoose: (chosen) => change({ phase: chosen }),
      }}
      empty={<EmptyAgents />}
    />
  );
}
