/** What is known of the conversation, beside it. */
import { Link } from "@tanstack/react-router";
import type { AgentDetail } from "../../http-api/agent-views.ts";
import { addUsage } from "../../protocol/add-usage.ts";
import { costText } from "../../protocol/cost-text.ts";
import type { Usage } from "../../protocol/frames.ts";
import { Button } from "../parts/button.tsx";
import { numberText } from "../parts/count-text.ts";
import type { ChatState } from "./chat-session.ts";
import type { TurnView } from "./turn-view.ts";
import styles from "./chat.module.css";

export function Facts({
  agent,
  state,
  turns,
  onNew,
}: {
  agent: AgentDetail;
  state: ChatState;
  turns: readonly TurnView[];
  onNew: () => void;
}) {
  const { sessionId } = state.conversation;
  const { namespace, name } = agent;
  const last = turns.at(-1);
  const isBegun = sessionId !== undefined && turns.length > 0;
  const used = turns.reduce<Usage | undefined>((sum, { usage }) => addUsage(sum, usage), undefined);
  const facts: [string, string | undefined][] = [
    ["Model", last?.model ?? agent.model],
    ["Pack", agent.pack === undefined ? undefined : `${agent.pack.name} ${agent.pack.version}`],
    ["Workflow", last?.workflowState],
    ["Sessions in", agent.sessionStore],
    ["Turns", isBegun ? numberText(turns.length) : undefined],
    ["Tokens", used === undefined ? undefined : inAndOut(used)],
    ["Cost", used?.cost === undefined ? undefined : costText(used.cost)],
  ];
  return (
    <aside className={styles.facts} aria-label="About this conversation">
      <dl>
        {facts.map(([term, text]) =>
          text === undefined ? undefined : (
            <div key={term}>
              <dt>{term}</dt>
              <dd>{text}</dd>
            </div>
          ),
        )}
      </dl>
      {isBegun ? (
        <p className={styles.factLinks}>
          <Button onClick={onNew}>New conversation</Button>
          {agent.can.sessions ? (
            <Link
              to="/agents/$namespace/$name/sessions/$session"
              params={{ namespace, name, session: sessionId }}
            >
              Timeline
            </Link>
          ) : undefined}
        </p>
      ) : undefined}
    </aside>
  );
}

/** Undefined where there are none, as of an agent without a model. */
function inAndOut({ input_tokens, output_tokens }: Usage): string | undefined {
  return input_tokens + output_tokens === 0
    ? undefined
    : `${numberText(input_tokens)} in, ${numberText(output_tokens)} out`;
}
