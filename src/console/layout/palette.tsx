/** Goes to anything by its name. The field keeps the focus, and the list says which entry is meant. */
import { useId, useMemo, useState, type KeyboardEvent } from "react";
import { useRouter } from "@tanstack/react-router";
import { agentsQuery, packsQuery, registriesQuery } from "../api/queries.ts";
import { useList } from "../api/use-list.ts";
import { Dialog } from "../parts/dialog.tsx";
import { findEntries, paletteEntries, type PaletteEntry } from "./palette-entries.ts";
import styles from "./palette.module.css";

export function Palette({ onClose }: { onClose: () => void }) {
  const router = useRouter();
  const [typed, setTyped] = useState("");
  const [chosen, setChosen] = useState(0);
  const listId = useId();
  const { items: agents } = useList(agentsQuery);
  const { items: packs } = useList(packsQuery);
  const { items: registries } = useList(registriesQuery);
  const entries = useMemo(
    () =>
      paletteEntries({ agents: agents ?? [], packs: packs ?? [], registries: registries ?? [] }),
    [agents, packs, registries],
  );
  const found = useMemo(() => findEntries(entries, typed), [entries, typed]);
  const at = Math.min(chosen, Math.max(0, found.length - 1));

  const go = (entry: PaletteEntry | undefined): void => {
    if (entry === undefined) return;
    onClose();
    router.history.push(entry.to);
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key === "Enter") go(found[at]);
    else if (event.key === "ArrowDown") setChosen(Math.min(found.length - 1, at + 1));
    else if (event.key === "ArrowUp") setChosen(Math.max(0, at - 1));
    else return;
    event.preventDefault();
  };
  return (
    <Dialog title="Go to" onClose={onClose}>
      <input
        className={styles.field}
        type="text"
        role="combobox"
        aria-label="Go to an agent, a pack or tools"
        aria-expanded
        aria-controls={listId}
        aria-activedescendant={found.length === 0 ? undefined : `${listId}-${at}`}
        aria-autocomplete="list"
        autoComplete="off"
        spellCheck={false}
        placeholder="The name of an agent, a pack or tools"
        value={typed}
        data-first
        onChange={(event) => {
          setTyped(event.target.value);
          setChosen(0);
        }}
        onKeyDown={onKeyDown}
      />
      <ul id={listId} role="listbox" aria-label="Found" className={styles.list}>
        {found.map((entry, index) => (
          // The keyboard chooses by the field.
          // oxlint-disable-next-line jsx-a11y/click-events-have-key-events
          <li
            key={`${entry.kind} ${entry.to}`}
            id={`${listId}-${index}`}
            role="option"
            aria-selected={index === at}
            className={styles.entry}
            onClick={() => go(entry)}
          >
            <span className={styles.kind}>{entry.kind}</span>
            <span className={styles.name}>{entry.name}</span>
            <span className={styles.namespace}>{entry.namespace}</span>
          </li>
        ))}
      </ul>
      {found.length === 0 ? <p role="status">Nothing has such a name.</p> : undefined}
    </Dialog>
  );
}
