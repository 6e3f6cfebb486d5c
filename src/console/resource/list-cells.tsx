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
/** A name and a namespace of more characters together may want more than a line. */
const LINE_CHARACTERS = 28;
const NAME_LINE_PIXELS = 22;

/** About how high is what a row has beyond its first line, in pixels. Undefined: it has one line alone. */
export function secondLineOf({
  namespace,
  name,
  explain,
}: {
  namespace: string;
  name: string;
  explain?: ExplainView | undefined;
}): number | undefined {
  const nameLine = namespace.length + name.length > LINE_CHARACTERS ? NAME_LINE_PIXELS : undefined;
  if (explain === undefined) return nameLine;
  const command = explain.command === undefined ? 0 : COMMAND_PIXELS;
  return (nameLine ?? 0) + CAUSE_AND_CURE_PIXELS + command;
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
