import type { ToolCallAnswer } from "../../http-api/tool-views.ts";
import { Badge } from "../parts/badge.tsx";
import { CodeBlock } from "../parts/code-block.tsx";
import { tookText } from "../parts/duration-text.ts";
import { numberText } from "../parts/count-text.ts";
import styles from "./tools.module.css";

/** More of a result is not shown: a page of a megabyte of text answers to nobody. */
const MAX_CHARACTERS = 100_000;

export function CallAnswer({ answer: { result, error, ms, replica } }: { answer: ToolCallAnswer }) {
  const text = resultText(result);
  return (
    <div className={styles.answer}>
      <p className={styles.line}>
        <Badge tone={error === undefined ? "good" : "bad"}>
          {error === undefined ? "answered" : "failed"}
        </Badge>
        <span>
          {tookText(ms)} · by {replica}
        </span>
      </p>
      {error === undefined ? (
        <CodeBlock text={text.slice(0, MAX_CHARACTERS)} label="Result" />
      ) : (
        <p>{error}</p>
      )}
      {text.length > MAX_CHARACTERS ? (
        <p>The first {numberText(MAX_CHARACTERS)} characters are shown.</p>
      ) : undefined}
    </div>
  );
}

function resultText(result: unknown): string {
  if (typeof result === "string") return result;
  return result === undefined ? "" : JSON.stringify(result, null, 2);
}
