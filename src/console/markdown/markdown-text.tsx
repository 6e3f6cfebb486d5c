/** Shows a text of Markdown that may still grow. What has come is cut into blocks, each of which is parsed and shown once. */
import { memo, useMemo, useRef } from "react";
import remend from "remend";
import { BlockCutter, type MarkdownBlock } from "./block-cutter.ts";
import { CodeBlock } from "./code-block.tsx";
import { markdownElements, parseMarkdown } from "./markdown-elements.ts";
import styles from "./markdown.module.css";

export const MarkdownText = memo(function MarkdownText({
  text,
  isGrowing,
}: {
  text: string;
  isGrowing: boolean;
}) {
  const { closed, open } = useBlocks(text);
  return (
    <div className={styles.text}>
      {closed.map((block, index) => (
        <Block key={index} block={block} isGrowing={false} />
      ))}
      {open === undefined ? undefined : (
        <Block key={closed.length} block={open} isGrowing={isGrowing} />
      )}
    </div>
  );
});

/** The cutter is kept as long as the text only grows. */
function useBlocks(text: string): {
  closed: readonly MarkdownBlock[];
  open: MarkdownBlock | undefined;
} {
  const kept = useRef<{ cutter: BlockCutter; text: string } | undefined>(undefined);
  return useMemo(() => {
    let current = kept.current;
    if (current === undefined || !text.startsWith(current.text)) {
      current = { cutter: new BlockCutter(), text: "" };
    }
    current.cutter.append(text.slice(current.text.length));
    kept.current = { cutter: current.cutter, text };
    const { closed, open } = current.cutter;
    return { closed: [...closed], open };
  }, [text]);
}

const Block = memo(
  function Block({ block, isGrowing }: { block: MarkdownBlock; isGrowing: boolean }) {
    if (block.type === "code") {
      return (
        <div className={styles.block}>
          <CodeBlock code={block.text} language={block.language} isGrowing={isGrowing} />
        </div>
      );
    }
    return <ParsedBlock text={block.text} isGrowing={isGrowing} />;
  },
  (before, after) =>
    before.isGrowing === after.isGrowing &&
    before.block.type === after.block.type &&
    before.block.text === after.block.text,
);

function ParsedBlock({ text, isGrowing }: { text: string; isGrowing: boolean }) {
  const whole = isGrowing ? closeMarks(text) : text;
  const elements = useMemo(
    () =>
      markdownElements(parseMarkdown(whole), (code, language) => (
        <CodeBlock code={code} language={language} isGrowing={isGrowing} />
      )),
    [whole, isGrowing],
  );
  return <div className={styles.block}>{elements}</div>;
}

/** Ends what the text has begun, such as a bold word, so that its marks do not show until their ends come. */
function closeMarks(text: string): string {
  return remend(text, {
    linkMode: "text-only",
    images: false,
    htmlTags: false,
    katex: false,
    inlineKatex: false,
  });
}
