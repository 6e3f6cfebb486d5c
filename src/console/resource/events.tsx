import type { EventView } from "../../http-api/resource-views.ts";
import { Age } from "../parts/age.tsx";
import { Badge } from "../parts/badge.tsx";
import { groupEvents } from "./group-events.ts";
import styles from "./resource.module.css";

/** The events of a resource, those of one reason together. */
export function Events({ events }: { events: readonly EventView[] }) {
  if (events.length === 0) return <p className={styles.quiet}>Nothing happened lately.</p>;
  return (
    <ul className={styles.events}>
      {groupEvents(events).map(({ type, reason, count, at, message, earlier }) => (
        <li key={`${type} ${reason}`} className={styles.event}>
          <div className={styles.line}>
            <Badge tone={type === "Warning" ? "warn" : "quiet"}>{reason}</Badge>
            {count > 1 ? <span>{count} times</span> : undefined}
            <span className={styles.quiet}>
              <Age at={at} />
            </span>
          </div>
          <p>{message}</p>
          {earlier.length === 0 ? undefined : (
            <details>
              <summary>Earlier</summary>
              <ul className={styles.earlier}>
                {earlier.map((text) => (
                  <li key={text}>{text}</li>
                ))}
              </ul>
            </details>
          )}
        </li>
      ))}
    </ul>
  );
}
