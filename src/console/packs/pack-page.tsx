/** A pack: its canary, its versions, and the difference of two of them. */
import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { packQuery } from "../api/queries.ts";
import { Badge } from "../parts/badge.tsx";
import { CodeBlock } from "../parts/code-block.tsx";
import { ExplainCard } from "../parts/explain-card.tsx";
import { toneOfPhase } from "../parts/tone-of-phase.ts";
import { Conditions } from "../resource/conditions.tsx";
import { Events } from "../resource/events.tsx";
import { Heading } from "../resource/heading.tsx";
import { Loaded } from "../resource/loaded.tsx";
import { Section } from "../resource/section.tsx";
import { CanaryTable } from "./canary-table.tsx";
import { Comparison } from "./comparison.tsx";
import { Versions } from "./versions.tsx";

const route = getRouteApi("/packs/$namespace/$name");

export function PackPage() {
  const { namespace, name } = route.useParams();
  const { a, b } = route.useSearch();
  const pack = useQuery(packQuery(namespace, name));
  return (
    <>
      <Heading namespace={namespace} name={name}>
        {pack.data === undefined ? undefined : (
          <Badge tone={toneOfPhase(pack.data.phase, pack.data.explain !== undefined)}>
            {pack.data.phase}
          </Badge>
        )}
      </Heading>
      <Loaded query={pack}>
        {(detail) => (
          <>
            {detail.explain === undefined ? undefined : <ExplainCard explain={detail.explain} />}
            {detail.canary === undefined ? undefined : (
              <Section title="Canary">
                <CanaryTable pack={detail} />
              </Section>
            )}
            <Section title="Versions">
              <Versions pack={detail} a={a} b={b} />
            </Section>
            {a === undefined || b === undefined ? undefined : (
              <Section title="Difference">
                <Comparison pack={detail} a={a} b={b} />
              </Section>
            )}
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
