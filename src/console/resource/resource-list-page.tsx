/** The list of a kind of resources: a search, a row for each of those in sight, and what stands there when there are none. */
import { memo, type ComponentType, type ReactNode } from "react";
import type { List } from "../api/use-list.ts";
import type { ExplainView } from "../../http-api/resource-views.ts";
import { Badge } from "../parts/badge.tsx";
import { FilterBar, type FilterChoices } from "../parts/filter-bar.tsx";
import { ListState } from "../parts/list-state.tsx";
import { RowLink } from "../parts/row-link.tsx";
import { toneOfPhase } from "../parts/tone-of-phase.ts";
import { VirtualRows } from "../parts/virtual-rows.tsx";
import { Cause, Name, secondLineOf } from "./list-cells.tsx";
import list from "./list.module.css";

export interface ListedResource {
  readonly namespace: string;
  readonly name: string;
  readonly phase: string;
  readonly explain?: ExplainView | undefined;
}

/** What the list of a kind looks like. It stays the same object. */
export interface ResourceListLook<Item extends ListedResource> {
  readonly title: string;
  /** What the table is of. */
  readonly label: string;
  /** The pages of its resources are below it. */
  readonly path: string;
  readonly search: string;
  /** Said when the search finds none. */
  readonly noMatch: string;
  readonly nameColumn: string;
  /** The columns after name and state, with their widths as a grid has them. */
  readonly columns: readonly { readonly name: string; readonly width: string }[];
  /** The cells of these columns, each with the role `cell`. */
  readonly Cells: ComponentType<{ item: Item }>;
}

const NAME_AND_STATE = "minmax(0, 3fr) 116px";

export function ResourceListPage<Item extends ListedResource>({
  look,
  all,
  shown,
  q,
  onSearch,
  choices,
  empty,
}: {
  look: ResourceListLook<Item>;
  all: List<Item>;
  /** Those that the search finds, in their order. */
  shown: readonly Item[];
  q: string | undefined;
  onSearch: (q: string | undefined) => void;
  choices?: FilterChoices | undefined;
  /** What is shown where there is nothing. */
  empty: ReactNode;
}) {
  return (
    <div className={list.page}>
      <div className={list.head}>
        <h1>{look.title}</h1>
        <FilterBar
          label={look.search}
          q={q ?? ""}
          onSearch={(text) => onSearch(text || undefined)}
          choices={choices}
        />
      </div>
      <ListState list={all} empty={empty}>
        {shown.length === 0 ? (
          <p role="status">{look.noMatch}</p>
        ) : (
          <VirtualRows
            label={look.label}
            columns={[look.nameColumn, "State", ...look.columns.map(({ name }) => name)]}
            template={[NAME_AND_STATE, ...look.columns.map(({ width }) => width)].join(" ")}
            items={shown}
            keyOf={({ namespace, name }) => `${namespace}/${name}`}
            secondLine={secondLineOf}
          >
            {(item) => <Row item={item} look={look} />}
          </VirtualRows>
        )}
      </ListState>
    </div>
  );
}

/** One that is not as it should be has a second line. What scrolls by was made once, and stays as it is. */
const Row = memo(function Row<Item extends ListedResource>({
  item,
  look: { path, Cells },
}: {
  item: Item;
  look: ResourceListLook<Item>;
}) {
  const { namespace, name, phase, explain } = item;
  return (
    <>
      <Name namespace={namespace}>
        <RowLink to={`${path}/${namespace}/${name}`}>{name}</RowLink>
      </Name>
      <span role="cell">
        <Badge tone={toneOfPhase(phase, explain !== undefined)}>{phase}</Badge>
      </span>
      <Cells item={item} />
      <Cause explain={explain} name={name} />
    </>
  );
}) as <Item extends ListedResource>(props: {
  item: Item;
  look: ResourceListLook<Item>;
}) => ReactNode;
