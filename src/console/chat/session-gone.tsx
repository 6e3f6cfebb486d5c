import { Link } from "@tanstack/react-router";
import { Button } from "../parts/button.tsx";
import { Note } from "../parts/note.tsx";

/** The session of the address has expired, or never was, or is somebody else's: nobody is told which. */
export function SessionGone({
  namespace,
  name,
  onNew,
}: {
  namespace: string;
  name: string;
  onNew: () => void;
}) {
  return (
    <Note tone="warn">
      <p role="alert">
        <code>SESSION_NOT_FOUND</code> There is no such session: it has ended, or it is not yours.
      </p>
      <p>
        <Button look="primary" onClick={onNew}>
          Start a new one
        </Button>{" "}
        <Link to="/agents/$namespace/$name/sessions" params={{ namespace, name }}>
          See the sessions that there are
        </Link>
      </p>
    </Note>
  );
}
