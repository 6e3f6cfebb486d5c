/** All registries of tools. */
import { useMemo } from "react";
import { getRouteApi } from "@tanstack/react-router";
import { registriesQuery } from "../api/queries.ts";
import { useList } from "../api/use-list.ts";
import { Badge } from "../parts/badge.tsx";
import { FilterBar } from "../parts/filter-bar.tsx";
import { ListState } from "../parts/list-state.tsx";
import { RowLink } from "../parts/row-link.tsx";
import { toneOfPhase } from "../parts/tone-of-phase.ts";
import { VirtualRows } from "../parts/virtual-rows.tsx";
import { Cause, Name, secondLineOf } from "../resource/list-cells.tsx";
import { orderResources } from "../resource/order-resources.ts";
import list from "../resource/list.module.css";

const route = getRouteApi("/tools");
const COLUMNS = ["Registry", "State", "Tools available"];
const TEMPLATE = "minmax(0, 3fr) 116px minmax(0, 2fr)";

export function RegistriesPage() {
  const { q, ns } = route.useSearch();
  const navigate = route.useNavigate();
  const registries = useList(registriesQuery);
  const shown = useMemo(
    () => orderResources(registries.items ?? [], { q, ns }),
    [registries.items, q, ns],
  );
  return (
    <div className={list.page}>
      <div className={list.head}>
        <h1>Tools</h1>
        <FilterBar
          label="Search tools"
          q={q ?? ""}
          onSearch={(text) =>
            void navigate({
              search: (before) => ({ ...before, q: text || undefined }),
              replace: true,
            })
          }
        />
      </div>
      <ListState list={registries} empty={<p>There are no ToolRegistries yet.</p>}>
        {shown.length === 0 ? (
          <p role="status">No registry matches.</p>
        ) : (
          <VirtualRows
            label="Registries of tools"
            columns={COLUMNS}
            template={TEMPLATE}
            items={shown}
            keyOf={({ namespace, name }) => `${namespace}/${name}`}
            secondLine={secondLineOf}
          >
            {({ namespace, name, phase, explain, availableTools, discoveredTools }) => (
              <>
                <Name namespace={namespace}>
                  <RowLink to={`/tools/${namespace}/${name}`}>{name}</RowLink>
                </Name>
                <span role="cell">
                  <Badge tone={toneOfPhase(phase, explain !== undefined)}>{phase}</Badge>
                </span>
                <span role="cell" className={list.number}>
                  {availableTools} of {discoveredTools}
                  <span className={list.unit}> tools</span>
                </span>
                <Cause explain={explain} name={name} />
              </>
            )}
          </VirtualRows>
        )}
      </ListState>
    </div>
  );
}
