/** Shows a text of Markdown that may still grow. What has come is cut into blocks, each of which is parsed and shown once. */
import { memo, useEffect, useMemo, useReducer, useRef } from "react";
import remend from "remend";
import { markdownLength, plainPieces, shownAfterStep } from "./answer-limits.ts";
import { BlockCutter, type MarkdownBlock } from "./block-cutter.ts";
import { CodeBlock } from "./code-block.tsx";
import { LinkDefinitions } from "./link-definitions.ts";
import { markdownElements, parseMarkdown } from "./markdown-elements.ts";
import styles from "./markdown.module.css";

export const MarkdownText = memo(function MarkdownText({
  text,
  isGrowing,
}: {
  text: string;
  isGrowing: boolean;
}) {
  const length = markdownLength(text);
  const isCut = length < text.length;
  const { closed, open, definitions } = useBlocks(
    isCut ? text.slice(0, length) : text,
    isGrowing && !isCut,
  );
  const shown = useShownCount(closed);
  const isAllShown = shown === closed.length;
  return (
    <div className={styles.text}>
      {closed.slice(0, shown).map((block, index) => (
        <Block key={index} block={block} definitions={definitions.of(block)} isGrowing={false} />
      ))}
      {open === undefined || !isAllShown ? undefined : (
        <Block
          key={closed.length}
          block={open}
          definitions={definitions.of(open)}
          isGrowing={isGrowing && !isCut}
        />
      )}
      {isCut && isAllShown
        ? plainPieces(text, length).map((piece, index) => (
            <PlainPiece key={`plain-${index}`} text={piece} />
          ))
        : undefined}
    </div>
  );
});

/** As it is written. */
const PlainPiece = memo(function PlainPiece({ text }: { text: string }) {
  return <div className={`${styles.block} ${styles.plain}`}>{text}</div>;
});

/** How many of the blocks are shown: all of those that come while one looks on, and those that were there already step by step, one a frame. */
function useShownCount(blocks: readonly MarkdownBlock[]): number {
  const before = useRef(0);
  const [, showMore] = useReducer((count: number) => count + 1, 0);
  const shown = shownAfterStep(blocks, Math.min(before.current, blocks.length));
  const isAll = shown === blocks.length;
  useEffect(() => {
    before.current = shown;
    if (isAll) return;
    const frame = requestAnimationFrame(showMore);
    return () => cancelAnimationFrame(frame);
  }, [shown, isAll]);
  return shown;
}

/** The cutter is kept as long as the text only grows. */
function useBlocks(
  text: string,
  isGrowing: boolean,
): {
  closed: readonly MarkdownBlock[];
  open: MarkdownBlock | undefined;
  definitions: LinkDefinitions;
} {
  const kept = useRef<
    { cutter: BlockCutter; definitions: LinkDefinitions; text: string } | undefined
  >(undefined);
  return useMemo(() => {
    let current = kept.current;
    if (current === undefined || !text.startsWith(current.text)) {
      current = { cutter: new BlockCutter(), definitions: new LinkDefinitions(), text: "" };
    }
    current.cutter.append(text.slice(current.text.length));
    const { cutter, definitions } = current;
    kept.current = { cutter, definitions, text };
    const { closed, open } = cutter;
    definitions.take(closed, isGrowing ? undefined : open);
    return { closed: [...closed], open, definitions };
  }, [text, isGrowing]);
}

const Block = memo(
  function Block({
    block,
    definitions,
    isGrowing,
  }: {
    block: MarkdownBlock;
    definitions: string;
    isGrowing: boolean;
  }) {
    if (block.type === "code") {
      return (
        <div className={styles.block}>
          <CodeBlock code={block.text} language={block.language} isGrowing={isGrowing} />
        </div>
      );
    }
    return <ParsedBlock text={block.text} definitions={definitions} isGrowing={isGrowing} />;
  },
  (before, after) =>
    before.isGrowing === after.isGrowing &&
    before.definitions === after.definitions &&
    before.block.type === after.block.type &&
    before.block.text === after.block.text,
);

function ParsedBlock({
  text,
  definitions,
  isGrowing,
}: {
  text: string;
  definitions: string;
  isGrowing: boolean;
}) {
  const shown = isGrowing ? closeMarks(text) : text;
  const whole = definitions === "" ? shown : `${definitions}\n${shown}`;
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
