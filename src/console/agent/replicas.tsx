import type { ReplicaView } from "../../http-api/agent-views.ts";
import { Age } from "../parts/age.tsx";
import { Badge } from "../parts/badge.tsx";
import { countText } from "../parts/count-text.ts";
import styles from "./agent.module.css";

export function Replicas({
  replicas,
  wanted,
}: {
  replicas: readonly ReplicaView[];
  wanted: number;
}) {
  if (replicas.length === 0)
    return (
      <p className={styles.quiet}>
        None runs, and {wanted} {wanted === 1 ? "is" : "are"} wanted.
      </p>
    );
  return (
    <ul className={styles.replicas}>
      {replicas.map((replica) => (
        <li key={replica.name} className={styles.replica}>
          <div className={styles.line}>
            <strong>{replica.name}</strong>
            <Badge tone={replica.ready ? "good" : "warn"}>
              {replica.ready ? "ready" : replica.phase}
            </Badge>
            <span className={styles.quiet}>{facts(replica)}</span>
            <span className={styles.quiet}>
              started <Age at={replica.startedAt} />
            </span>
          </div>
          {replica.lastWords === undefined ? undefined : (
            <p>
              Its last words before it ended: <code>{replica.lastWords}</code>
            </p>
          )}
        </li>
      ))}
    </ul>
  );
}

function facts({ restarts, connections, turns }: ReplicaView): string {
  const parts = [
    countText(restarts, "restart"),
    connections === undefined ? undefined : countText(connections, "connection"),
    turns === undefined ? undefined : `${countText(turns, "turn")} now`,
  ];
  return parts.filter((part) => part !== undefined).join(" · ");
}
