/** The page of a pack or a registry: its name and state, what is wrong with it, what its kind alone has, and what all kinds have. */
import type { ReactNode } from "react";
import type { UseQueryResult } from "@tanstack/react-query";
import type { ConditionView, EventView, ExplainView } from "../../http-api/resource-views.ts";
import { Badge } from "../parts/badge.tsx";
import { CodeBlock } from "../parts/code-block.tsx";
import { ExplainCard } from "../parts/explain-card.tsx";
import { toneOfPhase } from "../parts/tone-of-phase.ts";
import { Conditions } from "./conditions.tsx";
import { Events } from "./events.tsx";
import { Heading } from "./heading.tsx";
import { Loaded } from "./loaded.tsx";
import { Section } from "./section.tsx";

interface ResourceDetail {
  readonly phase: string;
  readonly explain?: ExplainView | undefined;
  readonly conditions: readonly ConditionView[];
  readonly events: readonly EventView[];
  readonly manifest: string;
}

export function ResourcePage<Detail extends ResourceDetail>({
  namespace,
  name,
  query,
  children,
}: {
  namespace: string;
  name: string;
  query: UseQueryResult<Detail>;
  /** The sections of its kind. */
  children: (detail: Detail) => ReactNode;
}) {
  const { data } = query;
  return (
    <>
      <Heading namespace={namespace} name={name}>
        {data === undefined ? undefined : (
          <Badge tone={toneOfPhase(data.phase, data.explain !== undefined)}>{data.phase}</Badge>
        )}
      </Heading>
      <Loaded query={query}>
        {(detail) => (
          <>
            {detail.explain === undefined ? undefined : <ExplainCard explain={detail.explain} />}
            {children(detail)}
            <Section title="Conditions">
              <Conditions conditions={detail.conditions} />
            </Section>
            <Section title="Events">
              <Events events={detail.events} />
            </Section>
            <Section title="Manifest">
              <CodeBlock text={detail.manifest} label="Manifest" />
            </Section>
          </>
        )}
      </Loaded>
    </>
  );
}
