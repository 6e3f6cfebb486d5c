/** What was asked for, and what runs of it. */
import type { AgentDetail } from "../../http-api/agent-views.ts";
import { CodeBlock } from "../parts/code-block.tsx";
import { ExplainCard } from "../parts/explain-card.tsx";
import { Section } from "../resource/section.tsx";
import { useAgent } from "./use-agent.ts";
import styles from "./agent.module.css";

export function ManifestPage() {
  const { data: agent } = useAgent();
  if (agent === undefined) return <p role="status">Loading …</p>;
  return (
    <>
      {agent.explain === undefined ? undefined : <ExplainCard explain={agent.explain} />}
      <Section title="What runs">
        <dl className={styles.facts}>
          {factsOf(agent).map(([name, value]) => (
            <div key={name}>
              <dt>{name}</dt>
              <dd>{value}</dd>
            </div>
          ))}
        </dl>
      </Section>
      <Section title="Manifest">
        <CodeBlock text={agent.manifest} label="Manifest" />
      </Section>
    </>
  );
}

function factsOf(agent: AgentDetail): [string, string][] {
  const { pack } = agent;
  return [
    ["Replicas", `${agent.ready} of ${agent.wanted} wanted are ready`],
    ["Handler", agent.handler],
    ["Model", [agent.provider, agent.model].filter(Boolean).join(" ") || "–"],
    [
      "Pack",
      pack === undefined
        ? "–"
        : `${pack.name} ${pack.version}${pack.canary === undefined ? "" : `, ${pack.canary.weight} % ${pack.canary.version}`}`,
    ],
    ["Tools", agent.registry ?? "–"],
    ["Sessions", agent.sessionStore],
  ];
}
