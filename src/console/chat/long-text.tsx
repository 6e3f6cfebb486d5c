import { useState } from "react";
import { Button } from "../parts/button.tsx";
import { CopyButton } from "../parts/copy-button.tsx";
import { numberText } from "../parts/count-text.ts";
import styles from "./chat.module.css";

/** In characters: what is shown at first, and the most that is shown at all. */
const FIRST_LENGTH = 4_000;
const MAX_LENGTH = 200_000;

/** A text that may be very long, as it is written. */
export function LongText({ name, text }: { name: string; text: string }) {
  const [limit, setLimit] = useState(FIRST_LENGTH);
  const rest = text.length - limit;
  return (
    <div className={styles.longText}>
      <div className={styles.longTextHead}>
        <span>{name}</span>
        <CopyButton text={text} name={`Copy: ${name}`} />
      </div>
      <pre tabIndex={0} role="region" aria-label={name}>
        {text.slice(0, limit).toWellFormed()}
      </pre>
      {rest > 0 && limit < MAX_LENGTH ? (
        <Button onClick={() => setLimit(MAX_LENGTH)}>
          Show {numberText(rest)} more characters
        </Button>
      ) : undefined}
      {rest > 0 && limit >= MAX_LENGTH ? (
        <p className={styles.quiet}>
          {numberText(rest)} more characters are left out; copy takes all.
        </p>
      ) : undefined}
    </div>
  );
}
