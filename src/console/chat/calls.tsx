/** The calls of tools between two pieces of an answer. Calls that ran side by side are shown as a group. */
import type { ChatSession, ChatState } from "./chat-session.ts";
import { Approval } from "./approval.tsx";
import { CallRow } from "./call-row.tsx";
import { parallelGroups } from "./parallel-groups.ts";
import type { Call } from "./turn-parts.ts";
import styles from "./chat.module.css";

export function Calls({
  calls,
  answers,
  chat,
}: {
  calls: readonly Call[];
  answers: ChatState["answers"];
  chat: ChatSession;
}) {
  const ids = new Set(calls.map(({ id }) => id));
  const outer = calls.filter(({ parent }) => parent === undefined || !ids.has(parent));
  const waiting = calls.filter(({ outcome, id }) => outcome === "waiting" && !answers.has(id));
  return (
    <div className={styles.calls}>
      {parallelGroups(outer).map((group) => (
        <div
          key={group[0]?.id}
          className={group.length > 1 ? styles.parallel : undefined}
          role={group.length > 1 ? "group" : undefined}
          aria-label={group.length > 1 ? `${group.length} calls side by side` : undefined}
        >
          {group.map((call) => (
            <CallWithin key={call.id} call={call} calls={calls} answers={answers} depth={0} />
          ))}
        </div>
      ))}
      {waiting.map((call) => (
        <Approval key={call.id} call={call} chat={chat} />
      ))}
    </div>
  );
}

/** Members of a pack may call members. */
const MAX_DEPTH = 8;

function CallWithin({
  call,
  calls,
  answers,
  depth,
}: {
  call: Call;
  calls: readonly Call[];
  answers: ChatState["answers"];
  depth: number;
}) {
  const inner = depth < MAX_DEPTH ? calls.filter(({ parent }) => parent === call.id) : [];
  return (
    <>
      <CallRow call={call} answer={answers.get(call.id)} />
      {inner.length === 0 ? undefined : (
        <div className={styles.members} role="group" aria-label={`Calls that ${call.name} made`}>
          {inner.map((each) => (
            <CallWithin
              key={each.id}
              call={each}
              calls={calls}
              answers={answers}
              depth={depth + 1}
            />
          ))}
        </div>
      )}
    </>
  );
}
