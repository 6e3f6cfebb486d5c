/** Names what goes before it goes. */
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import type { SessionView } from "../../http-api/session-views.ts";
import { Button } from "../parts/button.tsx";
import { countText } from "../parts/count-text.ts";
import { Dialog } from "../parts/dialog.tsx";
import { Failure } from "../parts/failure.tsx";
import { deleteSession } from "../sessions/session-queries.ts";
import styles from "./timeline.module.css";

export function DeleteDialog({
  session,
  namespace,
  name,
  onClose,
}: {
  session: SessionView;
  namespace: string;
  name: string;
  onClose: () => void;
}) {
  const navigate = useNavigate();
  const queryClient = useQueryClient();
  const removal = useMutation({
    mutationFn: () => deleteSession(namespace, name, session.id),
    onSuccess: async () => {
      queryClient.removeQueries({ queryKey: ["session", namespace, name, session.id] });
      await queryClient.invalidateQueries({ queryKey: ["sessions", namespace, name] });
      await navigate({
        to: "/agents/$namespace/$name/sessions",
        params: { namespace, name },
        search: {},
      });
    },
  });
  return (
    <Dialog title="Delete this session?" onClose={onClose}>
      <p>
        “<bdi>{session.title}</bdi>” goes for good: {countText(session.turns, "turn")} and{" "}
        {countText(session.toolCalls, "tool call")}, with their messages and results, and what is
        counted of them.
        {session.state === "running" ? " The answer that runs is ended." : ""} Forks of it stay.
      </p>
      {session.subject === undefined ? undefined : (
        <p>
          It belongs to{" "}
          <strong>
            <bdi>{session.subject}</bdi>
          </strong>
          .
        </p>
      )}
      {removal.error === null ? undefined : <Failure error={removal.error} />}
      <div className={styles.buttons}>
        <Button look="danger" onClick={() => removal.mutate()} disabled={removal.isPending}>
          Delete the session
        </Button>
        <Button onClick={onClose}>Keep it</Button>
      </div>
    </Dialog>
  );
}
