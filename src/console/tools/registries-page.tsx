/** All registries of tools. */
import { useMemo } from "react";
import { getRouteApi } from "@tanstack/react-router";
import type { ToolRegistryView } from "../../http-api/tool-views.ts";
import { registriesQuery } from "../api/queries.ts";
import { useList } from "../api/use-list.ts";
import { orderResources } from "../resource/order-resources.ts";
import { ResourceListPage, type ResourceListLook } from "../resource/resource-list-page.tsx";
import list from "../resource/list.module.css";

const route = getRouteApi("/tools");
const LOOK: ResourceListLook<ToolRegistryView> = {
  title: "Tools",
  label: "Registries of tools",
  path: "/tools",
  search: "Search tools",
  noMatch: "No registry matches.",
  nameColumn: "Registry",
  columns: [{ name: "Tools available", width: "minmax(0, 2fr)" }],
  Cells: RegistryCells,
};

export function RegistriesPage() {
  const { q, ns } = route.useSearch();
  const navigate = route.useNavigate();
  const registries = useList(registriesQuery);
  const shown = useMemo(
    () => orderResources(registries.items ?? [], { q, ns }),
    [registries.items, q, ns],
  );
  return (
    <ResourceListPage
      look={LOOK}
      all={registries}
      shown={shown}
      q={q}
      onSearch={(text) =>
        void navigate({ search: (before) => ({ ...before, q: text }), replace: true })
      }
      empty={<p>There are no ToolRegistries yet.</p>}
    />
  );
}

function RegistryCells({ item: { availableTools, discoveredTools } }: { item: ToolRegistryView }) {
  return (
    <span role="cell" className={list.number}>
      {availableTools} of {discoveredTools}
      <span className={list.unit}> tools</span>
    </span>
  );
}
