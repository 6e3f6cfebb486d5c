import type { ExplainView } from "../../http-api/resource-views.ts";
import { CodeLine } from "./code-line.tsx";
import { CopyButton } from "./copy-button.tsx";
import styles from "./explain-card.module.css";

/** What to do about a cause. What can be copied is the command, and the sentence where there is none. */
export function Cure({
  explain: { cure, command },
  name,
}: {
  explain: ExplainView;
  /** What the button to copy says. */
  name: string;
}) {
  return (
    <>
      <p className={styles.cure}>
        {cure}
        {command === undefined ? <CopyButton text={cure} name={name} /> : undefined}
      </p>
      {command === undefined ? undefined : <CodeLine text={command} name={name} />}
    </>
  );
}
