import { useMemo } from "react";
import { useLocation, useNavigate, useSearch } from "@tanstack/react-router";
import { agentsQuery, packsQuery, registriesQuery } from "../api/queries.ts";
import { useCaller } from "../api/use-caller.ts";
import { useList } from "../api/use-list.ts";
import { namespacesOf } from "./namespaces.ts";
import styles from "./shell.module.css";

const LISTS = ["/", "/packs", "/tools"];

/** Which namespace the lists show. It stands in the address, and is not there where there is only one. */
export function NamespaceSelect() {
  const { pathname } = useLocation();
  const { ns } = useSearch({ strict: false });
  const navigate = useNavigate();
  const { data: caller } = useCaller();
  const { items: agents } = useList(agentsQuery);
  const { items: packs } = useList(packsQuery);
  const { items: registries } = useList(registriesQuery);
  const names = useMemo(
    () => namespacesOf([agents ?? [], packs ?? [], registries ?? []], caller?.namespaces ?? []),
    [agents, packs, registries, caller],
  );
  if (!LISTS.includes(pathname) || (names.length < 2 && ns === undefined)) return undefined;
  return (
    <select
      className={styles.namespace}
      aria-label="Namespace"
      value={ns ?? ""}
      onChange={(event) => {
        const chosen = event.target.value || undefined;
        void navigate({ to: ".", search: (before) => ({ ...before, ns: chosen }) });
      }}
    >
      <option value="">All namespaces</option>
      {ns !== undefined && !names.includes(ns) ? <option>{ns}</option> : undefined}
      {names.map((name) => (
        <option key={name}>{name}</option>
      ))}
    </select>
  );
}
