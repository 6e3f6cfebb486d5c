/** Shows code between fences. It is plain as long as it grows, and coloured by the worker once one can see it. */
import { memo, useEffect, useRef, useState } from "react";
import { CopyButton } from "../parts/copy-button.tsx";
import { highlighter } from "./highlighter.ts";
import { isHighlighted, type CodeToken } from "./highlighted-languages.ts";
import styles from "./markdown.module.css";

export const CodeBlock = memo(function CodeBlock({
  code,
  language,
  isGrowing,
}: {
  code: string;
  language: string;
  isGrowing: boolean;
}) {
  const place = useRef<HTMLPreElement>(null);
  const [tokens, setTokens] = useState<{ code: string; tokens: readonly CodeToken[] }>();
  useEffect(() => {
    const element = place.current;
    if (element === null || isGrowing || !isHighlighted(language, code)) return;
    const left = new AbortController();
    const observer = new IntersectionObserver(
      (entries) => {
        if (!entries.some(({ isIntersecting }) => isIntersecting)) return;
        observer.disconnect();
        void highlighter.highlight(language, code, left.signal).then((found) => {
          if (found !== undefined && !left.signal.aborted) setTokens({ code, tokens: found });
        });
      },
      { rootMargin: "400px" },
    );
    observer.observe(element);
    return () => {
      observer.disconnect();
      left.abort();
    };
  }, [code, language, isGrowing]);
  const name = language === "" ? "Code" : `Code, ${language}`;
  return (
    <div className={styles.code}>
      <div className={styles.codeHead}>
        <span>{language}</span>
        <CopyButton text={code} name="Copy the code" />
      </div>
      <pre ref={place} tabIndex={0} role="region" aria-label={name}>
        <code>{tokens?.code === code ? tokens.tokens.map(coloured) : code}</code>
      </pre>
    </div>
  );
});

function coloured({ text, kind }: CodeToken, index: number) {
  return kind === undefined ? (
    text
  ) : (
    <span key={index} data-kind={kind}>
      {text}
    </span>
  );
}
