/** How programs connect to the agent. */
import { CodeBlock } from "../parts/code-block.tsx";
import { CodeLine } from "../parts/code-line.tsx";
import { Section } from "../resource/section.tsx";
import { connectSnippets } from "./connect-snippets.ts";
import { useAgent } from "./use-agent.ts";
import styles from "./agent.module.css";

export function ConnectPage() {
  const { namespace, name, data: agent } = useAgent();
  if (agent === undefined) return <p role="status">Loading …</p>;
  const option = namespace === "default" ? "" : ` -n ${namespace}`;
  return (
    <>
      <Section title="Address">
        <CodeLine text={agent.wsUrl} name="Copy the address" />
        {agent.authenticated ? (
          <p>
            Clients say who they are: the snippets take the token from the variable{" "}
            <code>OMNIA_TOKEN</code>.
          </p>
        ) : undefined}
        <CodeLine text={`omnia chat ${name}${option}`} name="Copy the command" />
      </Section>
      <div className={styles.ways}>
        {connectSnippets(agent).map(({ name: way, needs, text }) => (
          <Section key={way} title={way}>
            <CodeBlock text={text} label={way} />
            {needs === undefined ? undefined : <p className={styles.quiet}>{needs}</p>}
          </Section>
        ))}
      </div>
    </>
  );
}
