/** Why something is not as it should be, and the one thing to do: before everything else. */
import type { ExplainView } from "../../http-api/resource-views.ts";
import { Cure } from "./cure.tsx";
import styles from "./explain-card.module.css";

export function ExplainCard({ explain }: { explain: ExplainView }) {
  const { summary, cause, docs } = explain;
  return (
    <section className={styles.card} aria-label="What is wrong, and what to do">
      <h2>{summary}</h2>
      <dl className={styles.facts}>
        <dt>Cause</dt>
        <dd>{cause}</dd>
        <dt>Cure</dt>
        <dd>
          <Cure explain={explain} name="Copy the cure" />
        </dd>
        <dt>Read</dt>
        <dd>
          <code>{docs}</code> in the documentation
        </dd>
      </dl>
    </section>
  );
}
