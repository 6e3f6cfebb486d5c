import { CopyButton } from "./copy-button.tsx";
import styles from "./code.module.css";

/** Something to type or to paste, as a line that can be copied. */
export function CodeLine({ text, name }: { text: string; name: string }) {
  return (
    <div className={styles.line}>
      {/* What is cut off is reached by the keyboard too. */}
      <code className={styles.text} tabIndex={0}>
        {text}
      </code>
      <CopyButton text={text} name={name} />
    </div>
  );
}
