import type { ConditionView } from "../../http-api/resource-views.ts";
import { Age } from "../parts/age.tsx";
import { Badge } from "../parts/badge.tsx";
import { isBroken, orderConditions } from "./order-conditions.ts";
import styles from "./resource.module.css";

/** The conditions of a resource, the cause of the others first. */
export function Conditions({ conditions }: { conditions: readonly ConditionView[] }) {
  if (conditions.length === 0) return <p className={styles.quiet}>It has none yet.</p>;
  return (
    <ol className={styles.chain}>
      {orderConditions(conditions).map((condition) => (
        <li key={condition.type} className={styles.condition} data-broken={isBroken(condition)}>
          <div className={styles.line}>
            <Badge tone={toneOf(condition.status)}>{condition.type}</Badge>
            <code>{condition.reason}</code>
            <span className={styles.quiet}>
              <Age at={condition.lastTransitionTime} />
            </span>
          </div>
          <p>{condition.message}</p>
        </li>
      ))}
    </ol>
  );
}

function toneOf(status: ConditionView["status"]) {
  switch (status) {
    case "True":
      return "good";
    case "False":
      return "bad";
    case "Unknown":
      return "warn";
  }
}
