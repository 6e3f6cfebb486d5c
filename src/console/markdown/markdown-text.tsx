/** Shows a text of Markdown that may still grow. What has come is cut into blocks, each of which is parsed and shown once. */
import { memo, useMemo, useRef } from "react";
import remend from "remend";
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
  const { closed, open, definitions } = useBlocks(text, isGrowing);
  return (
    <div className={styles.text}>
      {closed.map((block, index) => (
        <Block key={index} block={block} definitions={definitions.of(block)} isGrowing={false} />
      ))}
      {open === undefined ? undefined : (
        <Block
          key={closed.length}
          block={open}
          definitions={definitions.of(open)}
          isGrowing={isGrowing}
        />
      )}
    </div>
  );
});

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
