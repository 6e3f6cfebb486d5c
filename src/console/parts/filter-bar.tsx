import { useRef } from "react";
import { Search } from "lucide-react";
import { useShortcut } from "../keyboard/shortcuts.ts";
import styles from "./filter-bar.module.css";

export interface FilterChoices {
  label: string;
  /** What stands for no choice. */
  all: string;
  options: readonly string[];
  chosen: string | undefined;
  onChoose: (option: string | undefined) => void;
}

/** The search field of a list, and one choice beside it. `/` leads to it. */
export function FilterBar({
  label,
  q,
  onSearch,
  choices,
}: {
  label: string;
  q: string;
  onSearch: (text: string) => void;
  choices?: FilterChoices | undefined;
}) {
  const field = useRef<HTMLInputElement>(null);
  useShortcut({ keys: "/", description: "Search" }, () => field.current?.select());
  return (
    <search className={styles.bar}>
      <span className={styles.field}>
        <Search aria-hidden size={15} />
        <input
          ref={field}
          type="search"
          aria-label={label}
          placeholder="Search"
          value={q}
          onChange={(event) => onSearch(event.target.value)}
        />
      </span>
      {choices === undefined ? undefined : (
        <select
          aria-label={choices.label}
          className={styles.choice}
          value={choices.chosen ?? ""}
          onChange={(event) => choices.onChoose(event.target.value || undefined)}
        >
          <option value="">{choices.all}</option>
          {choices.options.map((option) => (
            <option key={option}>{option}</option>
          ))}
        </select>
      )}
    </search>
  );
}
