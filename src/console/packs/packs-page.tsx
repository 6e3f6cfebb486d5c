/** All packs. */
import { useMemo } from "react";
import { getRouteApi } from "@tanstack/react-router";
import type { PackView } from "../../http-api/pack-views.ts";
import { packsQuery } from "../api/queries.ts";
import { useList } from "../api/use-list.ts";
import { orderResources } from "../resource/order-resources.ts";
import { ResourceListPage, type ResourceListLook } from "../resource/resource-list-page.tsx";
import list from "../resource/list.module.css";

const route = getRouteApi("/packs");
const LOOK: ResourceListLook<PackView> = {
  title: "Packs",
  label: "Packs",
  path: "/packs",
  search: "Search packs",
  noMatch: "No pack matches.",
  nameColumn: "Pack",
  columns: [
    { name: "Version", width: "minmax(0, 2fr)" },
    { name: "Canary", width: "minmax(0, 2fr)" },
  ],
  Cells: PackCells,
};

export function PacksPage() {
  const { q, ns } = route.useSearch();
  const navigate = route.useNavigate();
  const packs = useList(packsQuery);
  const shown = useMemo(() => orderResources(packs.items ?? [], { q, ns }), [packs.items, q, ns]);
  return (
    <ResourceListPage
      look={LOOK}
      all={packs}
      shown={shown}
      q={q}
      onSearch={(text) =>
        void navigate({ search: (before) => ({ ...before, q: text }), replace: true })
      }
      empty={<p>There are no PromptPacks yet.</p>}
    />
  );
}

function PackCells({ item: { activeSemver, activeVersion, canary } }: { item: PackView }) {
  return (
    <>
      <span role="cell" className={list.text}>
        {activeSemver ?? activeVersion ?? "–"}
      </span>
      <span role="cell" className={list.text}>
        {canary === undefined ? "–" : `${canary.weight} % → ${canary.semver ?? canary.version}`}
      </span>
    </>
  );
}
