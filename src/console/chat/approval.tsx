/** Asks whether a call may be made. */
import { useId, useState } from "react";
import { Badge } from "../parts/badge.tsx";
import { Button } from "../parts/button.tsx";
import { readArguments } from "./read-arguments.ts";
import type { ChatSession } from "./chat-session.ts";
import type { Call } from "./turn-parts.ts";
import styles from "./chat.module.css";

export function Approval({ call, chat }: { call: Call; chat: ChatSession }) {
  const { id, name, expiresAt } = call;
  const [mode, setMode] = useState<"asked" | "edit" | "deny">("asked");
  const given = JSON.stringify(call.arguments ?? {}, undefined, 2);
  const [edited, setEdited] = useState(given);
  const [reason, setReason] = useState("");
  const fieldId = useId();
  const read = readArguments(edited);
  const approve = (): void => {
    if (mode !== "edit") chat.answer([{ type: "approve", id }]);
    else if (read.ok) chat.answer([{ type: "approve", id, arguments: read.arguments }]);
  };
  const deny = (): void =>
    chat.answer([{ type: "deny", id, reason: reason.trim() === "" ? undefined : reason.trim() }]);
  return (
    <section className={styles.approval} aria-label={`Approval of ${name}`}>
      <Badge tone="warn">Waits for you</Badge>
      <p>
        The agent asks whether it may call{" "}
        <strong>
          <bdi>{name}</bdi>
        </strong>
        {expiresAt === undefined ? "" : `. It waits until ${new Date(expiresAt).toLocaleString()}`}.
      </p>
      {mode === "edit" ? (
        <>
          <label htmlFor={fieldId}>Arguments, as JSON</label>
          <textarea
            id={fieldId}
            rows={Math.min(16, edited.split("\n").length + 1)}
            spellCheck={false}
            value={edited}
            aria-invalid={!read.ok}
            onChange={(event) => setEdited(event.target.value)}
          />
          {read.ok ? undefined : <p role="alert">{read.problem}</p>}
        </>
      ) : (
        <pre tabIndex={0} role="region" aria-label="Arguments">
          {given}
        </pre>
      )}
      {mode === "deny" ? (
        <>
          <label htmlFor={fieldId}>Reason, which the model is told (may be left out)</label>
          <textarea
            id={fieldId}
            rows={2}
            maxLength={4_096}
            value={reason}
            onChange={(event) => setReason(event.target.value)}
          />
        </>
      ) : undefined}
      <div className={styles.buttons}>
        {mode === "deny" ? (
          <>
            <Button look="danger" onClick={deny}>
              Deny the call
            </Button>
            <Button onClick={() => setMode("asked")}>Back</Button>
          </>
        ) : (
          <>
            <Button look="primary" onClick={approve} disabled={mode === "edit" && !read.ok}>
              {mode === "edit" ? "Approve as edited" : "Approve"}
            </Button>
            <Button look="danger" onClick={() => setMode("deny")}>
              Deny
            </Button>
            {mode === "edit" ? (
              <Button onClick={() => setMode("asked")}>Back</Button>
            ) : (
              <Button onClick={() => setMode("edit")}>Edit</Button>
            )}
          </>
        )}
      </div>
    </section>
  );
}
