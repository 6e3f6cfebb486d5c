/** The frame of an agent's pages: its name, its state, and the tabs. */
import { Link, Outlet } from "@tanstack/react-router";
import { ApiFailure } from "../api/api-failure.ts";
import { useLive } from "../api/live-state.ts";
import { Badge } from "../parts/badge.tsx";
import { Failure } from "../parts/failure.tsx";
import { toneOfPhase } from "../parts/tone-of-phase.ts";
import { useAgent } from "./use-agent.ts";
import styles from "./agent-frame.module.css";

const TABS = [
  { to: "/agents/$namespace/$name", name: "Chat" },
  { to: "/agents/$namespace/$name/sessions", name: "Sessions" },
  { to: "/agents/$namespace/$name/status", name: "Status" },
  { to: "/agents/$namespace/$name/connect", name: "Connect" },
  { to: "/agents/$namespace/$name/manifest", name: "Manifest" },
] as const;

export function AgentFrame() {
  const { namespace, name, data: agent, error, refetch } = useAgent();
  const live = useLive();
  const params = { namespace, name };
  const isGone = error instanceof ApiFailure && error.code === "NotFound";
  return (
    <>
      <header className={styles.head}>
        <div className={styles.title}>
          <h1>{name}</h1>
          <span className={styles.namespace}>{namespace}</span>
          {agent === undefined || isGone ? undefined : (
            <>
              <Badge tone={toneOfPhase(agent.phase, agent.explain !== undefined)}>
                {agent.phase}
              </Badge>
              <span className={styles.ready}>
                {agent.ready}/{agent.wanted} ready
              </span>
            </>
          )}
        </div>
        <nav aria-label={`Pages of ${name}`} className={styles.tabs}>
          {TABS.map((tab) => (
            <Link
              key={tab.to}
              to={tab.to}
              params={params}
              className={styles.tab}
              activeOptions={{ exact: tab.name === "Chat", includeSearch: false }}
            >
              {tab.name}
            </Link>
          ))}
        </nav>
      </header>
      {error === null || (agent !== undefined && !isGone) || live.status === "signed-out" ? (
        <Outlet />
      ) : (
        <Failure error={error} retry={() => void refetch()} />
      )}
    </>
  );
}
