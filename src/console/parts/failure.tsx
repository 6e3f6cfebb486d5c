/** Why something could not be had, in the words of the API. */
import { ApiFailure } from "../api/api-failure.ts";
import { CodeLine } from "./code-line.tsx";
import styles from "./note.module.css";

export function Failure({ error, retry }: { error: unknown; retry?: (() => void) | undefined }) {
  const message = error instanceof Error ? error.message : String(error);
  const cure = error instanceof ApiFailure ? error.cure : undefined;
  return (
    <div className={styles.note} data-tone="bad" role="alert">
      <p>{message}</p>
      {cure === undefined ? undefined : isCommand(cure) ? (
        <CodeLine text={cure} name="Copy the command" />
      ) : (
        <p>{cure}</p>
      )}
      {retry === undefined ? undefined : (
        <button type="button" className={styles.retry} onClick={retry}>
          Try again
        </button>
      )}
    </div>
  );
}

function isCommand(cure: string): boolean {
  return /^(kubectl|omnia|make|\.\/omnia) /.test(cure);
}
