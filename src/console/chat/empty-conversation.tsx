/** What one may begin with. */
import type { AgentDetail } from "../../http-api/agent-views.ts";
import { CodeLine } from "../parts/code-line.tsx";
import { Button } from "../parts/button.tsx";
import styles from "./chat.module.css";

const MAX_SUGGESTIONS = 3;

export function EmptyConversation({
  agent,
  onSend,
}: {
  agent: AgentDetail;
  onSend: (content: string) => void;
}) {
  const suggestions = agent.suggestions.slice(0, MAX_SUGGESTIONS);
  return (
    <div className={styles.empty}>
      <h2>Say something to {agent.name}</h2>
      {suggestions.length === 0 ? undefined : (
        <div className={styles.suggestions}>
          {suggestions.map((text) => (
            <Button key={text} onClick={() => onSend(text)}>
              {text}
            </Button>
          ))}
        </div>
      )}
      <p className={styles.quiet}>Or from a terminal:</p>
      <CodeLine text={`websocat '${agent.wsUrl}'`} name="Copy the command" />
    </div>
  );
}
