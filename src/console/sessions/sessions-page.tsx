/** The sessions of an agent, newest activity first. */
import { memo, useMemo } from "react";
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { getRouteApi, useNavigate } from "@tanstack/react-router";
import type { SessionView } from "../../http-api/session-views.ts";
import { costText } from "../../protocol/cost-text.ts";
import { agentQuery } from "../api/queries.ts";
import { Age } from "../parts/age.tsx";
import { Badge } from "../parts/badge.tsx";
import { countText } from "../parts/count-text.ts";
import { Failure } from "../parts/failure.tsx";
import { Note } from "../parts/note.tsx";
import { RowLink } from "../parts/row-link.tsx";
import type { Tone } from "../parts/tone.ts";
import { WindowList } from "../parts/window-list.tsx";
import { sessionsQuery } from "./session-queries.ts";
import styles from "./sessions.module.css";

const route = getRouteApi("/agents/$namespace/$name/sessions");
const ROW_HEIGHT = 62;

const TONES: Readonly<Record<SessionView["state"], Tone>> = {
  running: "good",
  waiting: "warn",
  idle: "quiet",
  failed: "bad",
};

export function SessionsPage() {
  const { namespace, name } = route.useParams();
  const { state, version } = route.useSearch();
  const { data: agent } = useQuery(agentQuery(namespace, name));
  const found = useInfiniteQuery(sessionsQuery(namespace, name, { state, version }));
  const pages = found.data?.pages;
  const sessions = useMemo(() => pages?.flatMap(({ items }) => items) ?? [], [pages]);
  return (
    <section aria-label="Sessions" className={styles.page}>
      <Filters state={state} version={version} />
      {agent?.sessionStore === "memory" ? (
        <Note>
          These sessions are kept in the memory of a replica and end when it restarts. To keep them,
          give the agent a session store of type redis.
        </Note>
      ) : undefined}
      {found.error === null ? undefined : (
        <Failure
          error={found.error}
          retry={() => void (found.isFetchNextPageError ? found.fetchNextPage() : found.refetch())}
        />
      )}
      {found.isPending ? <p className={styles.quiet}>Loading…</p> : undefined}
      {found.hasNextPage && sessions.length === 0 ? (
        <p className={styles.quiet}>None so far. Older sessions are looked through…</p>
      ) : undefined}
      {found.isSuccess && !found.hasNextPage && sessions.length === 0 ? (
        <p className={styles.quiet}>
          {state === undefined && version === undefined
            ? "There are no sessions yet: each begins with its first message."
            : "No session is like that."}
        </p>
      ) : undefined}
      <WindowList
        label="Sessions, newest first"
        items={sessions}
        keyOf={({ id }) => id}
        estimate={ROW_HEIGHT}
        hasMore={found.hasNextPage}
        isHeld={found.isFetchingNextPage || found.isFetchNextPageError}
        onNearEnd={() => void found.fetchNextPage()}
      >
        {(session) => <Row namespace={namespace} name={name} session={session} />}
      </WindowList>
    </section>
  );
}

function Filters({ state, version }: { state: string | undefined; version: string | undefined }) {
  const { namespace, name } = route.useParams();
  const navigate = useNavigate();
  const change = (search: { state?: string | undefined; version?: string | undefined }): void => {
    const wanted = { state, version, ...search };
    void navigate({
      to: "/agents/$namespace/$name/sessions",
      params: { namespace, name },
      search: {
        ...(wanted.state ? { state: wanted.state } : {}),
        ...(wanted.version ? { version: wanted.version } : {}),
      },
      replace: true,
    });
  };
  return (
    <div className={styles.filters}>
      <label>
        State{" "}
        <select value={state ?? ""} onChange={(event) => change({ state: event.target.value })}>
          <option value="">all</option>
          {Object.keys(TONES).map((each) => (
            <option key={each}>{each}</option>
          ))}
        </select>
      </label>
      <label>
        Version of the pack{" "}
        <input
          value={version ?? ""}
          maxLength={64}
          spellCheck={false}
          onChange={(event) => change({ version: event.target.value.trim() })}
        />
      </label>
    </div>
  );
}

/** What scrolls by was made once, and stays as it is. */
const Row = memo(function Row({
  namespace,
  name,
  session,
}: {
  namespace: string;
  name: string;
  session: SessionView;
}) {
  const { id, title, lastActiveAt, turns, toolCalls, state, packVersion, subject } = session;
  const facts = [
    countText(turns, "turn"),
    toolCalls === 0 ? undefined : countText(toolCalls, "tool call"),
    countText(session.inputTokens + session.outputTokens, "token"),
    session.cost === undefined ? undefined : costText(session.cost),
    packVersion === undefined ? undefined : `version ${packVersion}`,
    subject,
  ].filter((fact) => fact !== undefined);
  return (
    <RowLink
      to={`/agents/${namespace}/${name}/sessions/${encodeURIComponent(id)}`}
      className={styles.row}
    >
      <span className={styles.title}>
        <bdi>{title.trim() === "" ? "Without words" : title}</bdi>
      </span>
      <Badge tone={TONES[state]}>{state}</Badge>
      <span className={styles.rowFacts}>
        <Age at={lastActiveAt} /> · {facts.join(" · ")}
      </span>
    </RowLink>
  );
});
