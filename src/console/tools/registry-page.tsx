/** A registry: each tool, whether it can be called, and a place to call it. */
import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { registryQuery } from "../api/queries.ts";
import { Badge } from "../parts/badge.tsx";
import { CodeBlock } from "../parts/code-block.tsx";
import { ExplainCard } from "../parts/explain-card.tsx";
import { toneOfPhase } from "../parts/tone-of-phase.ts";
import { Conditions } from "../resource/conditions.tsx";
import { Events } from "../resource/events.tsx";
import { Heading } from "../resource/heading.tsx";
import { Loaded } from "../resource/loaded.tsx";
import { Section } from "../resource/section.tsx";
import { ToolEntry } from "./tool-entry.tsx";
import styles from "./tools.module.css";

const route = getRouteApi("/tools/$namespace/$name");

export function RegistryPage() {
  const { namespace, name } = route.useParams();
  const { tool: open } = route.useSearch();
  const navigate = route.useNavigate();
  const registry = useQuery(registryQuery(namespace, name));
  return (
    <>
      <Heading namespace={namespace} name={name}>
        {registry.data === undefined ? undefined : (
          <Badge tone={toneOfPhase(registry.data.phase, registry.data.explain !== undefined)}>
            {registry.data.phase}
          </Badge>
        )}
      </Heading>
      <Loaded query={registry}>
        {(detail) => (
          <>
            {detail.explain === undefined ? undefined : <ExplainCard explain={detail.explain} />}
            <Section title="Tools">
              {detail.tools.length === 0 ? (
                <p>It has no tools.</p>
              ) : (
                <ul className={styles.tools}>
                  {detail.tools.map((tool) => (
                    <ToolEntry
                      key={tool.name}
                      tool={tool}
                      isOpen={tool.name === open}
                      onToggle={(isOpen) =>
                        void navigate({
                          search: isOpen ? { tool: tool.name } : {},
                          replace: true,
                          resetScroll: false,
                        })
                      }
                    />
                  ))}
                </ul>
              )}
            </Section>
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
