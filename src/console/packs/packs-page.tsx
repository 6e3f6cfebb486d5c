/** All packs. */
import { useMemo } from "react";
import { getRouteApi } from "@tanstack/react-router";
import type { PackView } from "../../http-api/pack-views.ts";
import { packsQuery } from "../api/queries.ts";
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

const route = getRouteApi("/packs");
const COLUMNS = ["Pack", "State", "Version", "Canary"];
const TEMPLATE = "minmax(0, 3fr) 116px minmax(0, 2fr) minmax(0, 2fr)";

export function PacksPage() {
  const { q, ns } = route.useSearch();
  const navigate = route.useNavigate();
  const packs = useList(packsQuery);
  const shown = useMemo(() => orderResources(packs.items ?? [], { q, ns }), [packs.items, q, ns]);
  return (
    <div className={list.page}>
      <div className={list.head}>
        <h1>Packs</h1>
        <FilterBar
          label="Search packs"
          q={q ?? ""}
          onSearch={(text) =>
            void navigate({
              search: (before) => ({ ...before, q: text || undefined }),
              replace: true,
            })
          }
        />
      </div>
      <ListState list={packs} empty={<p>There are no PromptPacks yet.</p>}>
        {shown.length === 0 ? (
          <p role="status">No pack matches.</p>
        ) : (
          <VirtualRows
            label="Packs"
            columns={COLUMNS}
            template={TEMPLATE}
            items={shown}
            keyOf={(pack) => `${pack.namespace}/${pack.name}`}
            secondLine={secondLineOf}
          >
            {(pack) => <PackCells pack={pack} />}
          </VirtualRows>
        )}
      </ListState>
    </div>
  );
}

function PackCells({ pack }: { pack: PackView }) {
  const { namespace, name, phase, explain, canary } = pack;
  return (
    <>
      <Name namespace={namespace}>
        <RowLink to={`/packs/${namespace}/${name}`}>{name}</RowLink>
      </Name>
      <span role="cell">
        <Badge tone={toneOfPhase(phase, explain !== undefined)}>{phase}</Badge>
      </span>
      <span role="cell" className={list.text}>
        {pack.activeSemver ?? pack.activeVersion ?? "–"}
      </span>
      <span role="cell" className={list.text}>
        {canary === undefined ? "–" : `${canary.weight} % → ${canary.semver ?? canary.version}`}
      </span>
      <Cause explain={explain} name={name} />
    </>
  );
}
