import { useMutation } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { Button } from "../parts/button.tsx";
import { Failure } from "../parts/failure.tsx";
import { forkSession } from "./session-queries.ts";

/** Makes another session of what was said up to the end of the turn, and opens it. */
export function ForkButton({
  namespace,
  name,
  session,
  turnId,
  label,
}: {
  namespace: string;
  name: string;
  session: string;
  turnId: string | undefined;
  label: string;
}) {
  const navigate = useNavigate();
  const fork = useMutation({
    mutationFn: () => forkSession(namespace, name, session, turnId),
    onSuccess: (forked) =>
      navigate({
        to: "/agents/$namespace/$name",
        params: { namespace, name },
        search: { session: forked },
      }),
  });
  return (
    <>
      <Button onClick={() => fork.mutate()} disabled={fork.isPending}>
        {label}
      </Button>
      {fork.error === null ? undefined : <Failure error={fork.error} />}
    </>
  );
}
