import { useId } from "react";
import type { ToolView } from "../../http-api/tool-views.ts";
import { Badge } from "../parts/badge.tsx";
import { Button } from "../parts/button.tsx";
import { AgentLinks } from "../resource/agent-links.tsx";
import { TryOut } from "./try-out.tsx";
import styles from "./tools.module.css";

export function ToolEntry({
  tool,
  isOpen,
  onToggle,
}: {
  tool: ToolView;
  isOpen: boolean;
  onToggle: (isOpen: boolean) => void;
}) {
  const id = useId();
  const { name, type, server, description, available, reason, message, address } = tool;
  return (
    <li className={styles.tool}>
      <div className={styles.head}>
        <h3>{name}</h3>
        <Badge tone={available ? "good" : "bad"}>
          {available ? "available" : (reason ?? "not available")}
        </Badge>
        {tool.destructive === true ? <Badge tone="warn">may change things</Badge> : undefined}
        {tool.approval === undefined || tool.approval === "never" ? undefined : (
          <Badge tone="quiet">wants approval</Badge>
        )}
        <span className={styles.button}>
          <Button onClick={() => onToggle(!isOpen)} expanded={isOpen} controls={id}>
            Try it
          </Button>
        </span>
      </div>
      {description === "" ? undefined : <p>{description}</p>}
      {tool.isDescribedByServer === true ? (
        <p className={styles.facts}>
          Its description and its arguments are in the list of its server, and are not known here.
        </p>
      ) : undefined}
      {message === undefined ? undefined : <p className={styles.why}>{message}</p>}
      <p className={styles.facts}>
        {type}
        {server === undefined ? "" : ` by ${server}`} · <code>{address}</code> · used by{" "}
        <AgentLinks agents={tool.agents} />
      </p>
      <div id={id}>{isOpen ? <TryOut tool={tool} /> : undefined}</div>
    </li>
  );
}
