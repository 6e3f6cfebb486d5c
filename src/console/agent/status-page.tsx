/** Why an agent is as it is. */
import { ExplainCard } from "../parts/explain-card.tsx";
import { Note } from "../parts/note.tsx";
import { Conditions } from "../resource/conditions.tsx";
import { Events } from "../resource/events.tsx";
import { Section } from "../resource/section.tsx";
import { Budget } from "./budget.tsx";
import { Replicas } from "./replicas.tsx";
import { useAgent } from "./use-agent.ts";

export function StatusPage() {
  const { data: agent } = useAgent();
  if (agent === undefined) return <p role="status">Loading …</p>;
  return (
    <>
      {agent.explain === undefined ? (
        <Note>
          <p>Everything is as its manifest wants it.</p>
        </Note>
      ) : (
        <ExplainCard explain={agent.explain} />
      )}
      <Section title="Conditions">
        <Conditions conditions={agent.conditions} />
      </Section>
      <Section title="Replicas">
        <Replicas replicas={agent.replicas} wanted={agent.wanted} />
      </Section>
      {agent.budget === undefined ? undefined : (
        <Section title="Budget">
          <Budget budget={agent.budget} sessionStore={agent.sessionStore} wanted={agent.wanted} />
        </Section>
      )}
      <Section title="Events">
        <Events events={agent.events} />
      </Section>
    </>
  );
}
