/** Colours code, in a thread of its own. */
import type { Element, Root, Text } from "hast";
import bash from "highlight.js/lib/languages/bash";
import c from "highlight.js/lib/languages/c";
import cpp from "highlight.js/lib/languages/cpp";
import csharp from "highlight.js/lib/languages/csharp";
import css from "highlight.js/lib/languages/css";
import diff from "highlight.js/lib/languages/diff";
import go from "highlight.js/lib/languages/go";
import java from "highlight.js/lib/languages/java";
import javascript from "highlight.js/lib/languages/javascript";
import json from "highlight.js/lib/languages/json";
import markdown from "highlight.js/lib/languages/markdown";
import python from "highlight.js/lib/languages/python";
import rust from "highlight.js/lib/languages/rust";
import sql from "highlight.js/lib/languages/sql";
import typescript from "highlight.js/lib/languages/typescript";
import xml from "highlight.js/lib/languages/xml";
import yaml from "highlight.js/lib/languages/yaml";
import { createLowlight } from "lowlight";
import type { CodeToken, HighlightAnswer, HighlightRequest } from "./highlighted-languages.ts";

const lowlight = createLowlight({
  bash,
  c,
  cpp,
  csharp,
  css,
  diff,
  go,
  java,
  javascript,
  json,
  markdown,
  python,
  rust,
  sql,
  typescript,
  xml,
  yaml,
});

addEventListener("message", ({ data }: MessageEvent<HighlightRequest>) => {
  const { id, language, code } = data;
  const answer: HighlightAnswer = { id, tokens: tokensOf(lowlight.highlight(language, code)) };
  postMessage(answer);
});

/** The outermost kind of a piece counts. */
function tokensOf(root: Root): CodeToken[] {
  const tokens: CodeToken[] = [];
  const visit = (node: Root | Element | Text, kind: string | undefined): void => {
    if (node.type === "text") {
      const last = tokens.at(-1);
      if (last !== undefined && last.kind === kind) {
        tokens[tokens.length - 1] = { text: last.text + node.value, kind };
      } else tokens.push({ text: node.value, kind });
      return;
    }
    const inner = node.type === "element" ? (kindOf(node) ?? kind) : kind;
    for (const child of node.children) {
      if (child.type === "text" || child.type === "element") visit(child, inner);
    }
  };
  visit(root, undefined);
  return tokens;
}

function kindOf({ properties }: Element): string | undefined {
  const names = properties["className"];
  const [name] = Array.isArray(names) ? names : [];
  return typeof name === "string" ? name.replace(/^hljs-/, "").replace(/_+$/, "") : undefined;
}
