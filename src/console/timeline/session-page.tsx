/** One session, over time. */
import { useQuery } from "@tanstack/react-query";
import { Link, getRouteApi, useNavigate } from "@tanstack/react-router";
import { useEffect, useMemo, useRef, useState } from "react";
import type { SessionTimeline } from "../../http-api/session-views.ts";
import { costText } from "../../protocol/cost-text.ts";
import { agentQuery } from "../api/queries.ts";
import { useShortcut } from "../keyboard/shortcuts.ts";
import { Age } from "../parts/age.tsx";
import { Button } from "../parts/button.tsx";
import { CopyButton } from "../parts/copy-button.tsx";
import { countText, tokensText } from "../parts/count-text.ts";
import { Failure } from "../parts/failure.tsx";
import { useNow } from "../parts/now.ts";
import { WindowList } from "../parts/window-list.tsx";
import { timelineQuery } from "../sessions/session-queries.ts";
import { DeleteDialog } from "./delete-dialog.tsx";
import { download } from "./download.ts";
import { ForkButton } from "../sessions/fork-button.tsx";
import { sessionMarkdown } from "./session-markdown.ts";
import { isShown, RAIL_FILTERS, railOf, type RailFilter } from "./time-rail.ts";
import { RailTurnRow } from "./rail-turn-row.tsx";
import styles from "./timeline.module.css";

const TURN_HEIGHT = 160;
const route = getRouteApi("/agents/$namespace/$name/sessions/$session");

export function SessionPage() {
  const { namespace, name, session } = route.useParams();
  const { data, error, refetch } = useQuery({
    ...timelineQuery(namespace, name, session),
    // A turn that runs is looked at again until it has ended.
    refetchInterval: ({ state }) => (state.data?.session.state === "running" ? 2_000 : false),
  });
  if (data === undefined) {
    return error === null ? (
      <p className={styles.quiet}>Loading…</p>
    ) : (
      <Failure error={error} retry={() => void refetch()} />
    );
  }
  return <Timeline timeline={data} namespace={namespace} name={name} />;
}

function Timeline({
  timeline,
  namespace,
  name,
}: {
  timeline: SessionTimeline;
  namespace: string;
  name: string;
}) {
  const { session } = timeline;
  const { show } = route.useSearch();
  const navigate = useNavigate();
  const { data: agent } = useQuery(agentQuery(namespace, name));
  const [text, setText] = useState("");
  const [isDeleting, setIsDeleting] = useState(false);
  const search = useRef<HTMLInputElement>(null);
  useShortcut({ keys: "/", description: "Search" }, () => search.current?.select());
  const now = useNow();
  const filter: RailFilter = RAIL_FILTERS.find((each) => each === show) ?? "all";
  const until = session.state === "running" ? now : 0;
  const rail = useMemo(() => railOf(timeline, until), [timeline, until]);
  const shown = rail.filter((turn) => isShown(turn, filter, text));
  const longestMs = Math.max(1, ...rail.map(({ ms }) => ms ?? 0));
  const named = useNamedTurn();
  const fileName = `session-${session.id.slice(0, 12)}`;
  const params = useMemo(
    () => ({ namespace, name, session: session.id }),
    [namespace, name, session.id],
  );
  return (
    <section aria-label="Timeline of the session" className={styles.page}>
      <header className={styles.head}>
        <h2>
          <bdi>{session.title.trim() === "" ? "Without words" : session.title}</bdi>
        </h2>
        <p className={styles.quiet}>
          <code>{session.id}</code> <CopyButton text={session.id} name="Copy the id" />
          {" · "}last active <Age at={session.lastActiveAt} /> · {countText(session.turns, "turn")}{" "}
          · {countText(session.toolCalls, "tool call")} ·{" "}
          {tokensText(session.inputTokens, session.outputTokens)}
          {session.cost === undefined ? "" : ` · ${costText(session.cost)}`}
          {session.packVersion === undefined ? "" : ` · version ${session.packVersion}`}
          {session.subject === undefined ? "" : ` · ${session.subject}`}
        </p>
        <div className={styles.buttons}>
          <Link
            to="/agents/$namespace/$name"
            params={{ namespace, name }}
            search={{ session: session.id }}
          >
            {session.own === false ? "Open in chat" : "Go on in chat"}
          </Link>
          <ForkButton {...params} turnId={undefined} label="Fork" />
          <Button
            onClick={() =>
              download(
                `${fileName}.json`,
                "application/json",
                JSON.stringify(timeline, undefined, 2),
              )
            }
          >
            Export JSON
          </Button>
          <Button
            onClick={() => {
              const document = sessionMarkdown(
                timeline,
                `${namespace}/${name}`,
                Date.parse(session.lastActiveAt),
              );
              download(`${fileName}.md`, "text/markdown", document);
            }}
          >
            Export Markdown
          </Button>
          {agent?.can.deleteSession === true ? (
            <Button look="danger" onClick={() => setIsDeleting(true)}>
              Delete…
            </Button>
          ) : undefined}
        </div>
        <div className={styles.filters}>
          <label>
            Show{" "}
            <select
              value={filter}
              onChange={({ target }) =>
                void navigate({
                  to: "/agents/$namespace/$name/sessions/$session",
                  params,
                  search: target.value === "all" ? {} : { show: target.value },
                  replace: true,
                })
              }
            >
              {RAIL_FILTERS.map((each) => (
                <option key={each}>{each}</option>
              ))}
            </select>
          </label>
          <label>
            Search{" "}
            <input
              ref={search}
              type="search"
              value={text}
              maxLength={200}
              onChange={(event) => setText(event.target.value)}
            />
          </label>
          <span className={styles.quiet} role="status">
            {shown.length} of {rail.length} turns
          </span>
        </div>
      </header>
      <div className={styles.rail}>
        <WindowList
          label="Turns, oldest first"
          items={shown}
          keyOf={({ id }) => id}
          estimate={TURN_HEIGHT}
          goTo={named}
        >
          {(turn) => (
            <RailTurnRow
              turn={turn}
              longestMs={longestMs}
              place={params}
              isNamed={turn.id === named}
            />
          )}
        </WindowList>
      </div>
      {isDeleting ? (
        <DeleteDialog
          session={session}
          namespace={namespace}
          name={name}
          onClose={() => setIsDeleting(false)}
        />
      ) : undefined}
    </section>
  );
}

/** The turn that the address names (`#turn=…`). */
function useNamedTurn(): string | undefined {
  const [named, setNamed] = useState(turnOfAddress);
  useEffect(() => {
    const onChange = (): void => setNamed(turnOfAddress());
    addEventListener("hashchange", onChange);
    return () => removeEventListener("hashchange", onChange);
  }, []);
  return named;
}

function turnOfAddress(): string | undefined {
  const text = /^#turn=(.{1,1024})$/.exec(location.hash)?.[1];
  if (text === undefined) return undefined;
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
