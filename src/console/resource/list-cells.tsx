/** What the rows of all lists have. */
import type { ReactNode } from "react";
import type { ExplainView } from "../../http-api/resource-views.ts";
import { Cure } from "../parts/cure.tsx";
import list from "./list.module.css";

export function Name({ namespace, children }: { namespace: string; children: ReactNode }) {
  return (
    <span role="cell" className={list.name}>
      {children}
      <span className={list.namespace}>{namespace}</span>
    </span>
  );
}

const CAUSE_AND_CURE_PIXELS = 64;
const COMMAND_PIXELS = 40;

/** About how high the second line of a row is, in pixels. Undefined: it has none. */
export function secondLineOf({
  explain,
}: {
  explain?: ExplainView | undefined;
}): number | undefined {
  if (explain === undefined) return undefined;
  return CAUSE_AND_CURE_PIXELS + (explain.command === undefined ? 0 : COMMAND_PIXELS);
}

/** The second line of what is not as it should be: the cause, the cure, and what to copy. */
export function Cause({ explain, name }: { explain: ExplainView | undefined; name: string }) {
  if (explain === undefined) return undefined;
  return (
    <div role="cell" className={list.cause}>
      <p>
        <strong>{explain.cause}</strong>
      </p>
      <Cure explain={explain} name={`Copy the cure of ${name}`} />
    </div>
  );
}
