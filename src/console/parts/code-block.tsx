import { CopyButton } from "./copy-button.tsx";
import styles from "./code.module.css";

/** A text of many lines that can be copied. `label` names it. */
export function CodeBlock({ text, label }: { text: string; label: string }) {
  return (
    <div className={styles.block}>
      <pre className={styles.lines} tabIndex={0} role="group" aria-label={label}>
        {text}
      </pre>
      <div className={styles.corner}>
        <CopyButton text={text} name={`Copy: ${label}`} />
      </div>
    </div>
  );
}
