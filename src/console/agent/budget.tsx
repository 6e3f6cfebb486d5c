/** How many tokens an agent may use, and how many of today's are used. */
import type { AgentDetail, BudgetView } from "../../http-api/agent-views.ts";
import { Badge } from "../parts/badge.tsx";
import { numberText } from "../parts/count-text.ts";
import styles from "./agent.module.css";

export function Budget({
  budget,
  sessionStore,
  wanted,
}: { budget: BudgetView } & Pick<AgentDetail, "sessionStore" | "wanted">) {
  const { maxTokensPerTurn, maxTokensPerSession, maxTokensPerDay, tokensToday } = budget;
  const isOfEachReplica = sessionStore === "memory" && wanted > 1;
  const isSpent =
    maxTokensPerDay !== undefined && tokensToday !== undefined && tokensToday >= maxTokensPerDay;
  const facts: [string, number | undefined][] = [
    ["A turn", maxTokensPerTurn],
    ["A session", maxTokensPerSession],
    [isOfEachReplica ? "A day, for each replica" : "A day", maxTokensPerDay],
    [
      isOfEachReplica ? "Used today (UTC) by the replica that used the most" : "Used today (UTC)",
      tokensToday,
    ],
  ];
  return (
    <>
      <dl className={styles.facts}>
        {facts.map(([term, tokens]) =>
          tokens === undefined ? undefined : (
            <div key={term}>
              <dt>{term}</dt>
              <dd>{numberText(tokens)} tokens</dd>
            </div>
          ),
        )}
      </dl>
      {isSpent ? (
        <p>
          <Badge tone="warn">Spent</Badge> No turn begins before the next midnight UTC.
        </p>
      ) : undefined}
    </>
  );
}
