/**
 * Makes React elements of Markdown. HTML in it is shown as it is written, pictures are not loaded, and links lead to the web or to
 * a mail address only.
 */
import type { AlignType, Definition, List, Nodes, Root, RootContent, Table } from "mdast";
import { fromMarkdown } from "mdast-util-from-markdown";
import { gfmFromMarkdown } from "mdast-util-gfm";
import { gfm } from "micromark-extension-gfm";
import { createElement, Fragment, type ReactNode } from "react";
import { safeLink } from "./safe-link.ts";

/** Deeper than this, only the text is shown: a quote in a quote, a thousand times, would end the stack. */
const MAX_DEPTH = 32;

const EXTENSIONS = [gfm({ singleTilde: false })];
const MDAST_EXTENSIONS = [gfmFromMarkdown()];

/**
 * The time for parsing grows with the square of the depth of quotes and lists, and of the number of open brackets. More of them
 * are nothing that people write.
 */
const MAX_MARKS = 32;
const TOO_DEEP = new RegExp(`^(?:[ \\t]*(?:>|[-+*]|\\d{1,9}[.)])){${MAX_MARKS},}`, "m");

const MAX_BRACKETS = 512;
/** Addresses become links by themselves, each of which the page has to keep. More of them in one block are nothing that people write. */
const MAX_ADDRESSES = 256;
const ADDRESS = /@|:\/\/|www\./;

export function parseMarkdown(text: string): Root {
  if (
    TOO_DEEP.test(text) ||
    text.split("[").length > MAX_BRACKETS ||
    text.split(ADDRESS).length > MAX_ADDRESSES
  ) {
    return {
      type: "root",
      children: [{ type: "paragraph", children: [{ type: "text", value: text }] }],
    };
  }
  return fromMarkdown(text, { extensions: EXTENSIONS, mdastExtensions: MDAST_EXTENSIONS });
}

/** `codeBlock` shows a block of code. */
export function markdownElements(
  root: Root,
  codeBlock: (code: string, language: string) => ReactNode,
): ReactNode {
  const definitions = new Map<string, string>();
  for (const node of root.children) {
    if (node.type === "definition") definitions.set(node.identifier, node.url);
  }
  return childrenOf(root, { definitions, codeBlock, depth: 0 });
}

interface Context {
  readonly definitions: ReadonlyMap<string, string>;
  readonly codeBlock: (code: string, language: string) => ReactNode;
  readonly depth: number;
}

function childrenOf(
  node: { children: readonly (RootContent | Definition)[] },
  context: Context,
): ReactNode {
  const below = { ...context, depth: context.depth + 1 };
  return node.children.map((child, index) =>
    createElement(Fragment, { key: index }, element(child, below)),
  );
}

function element(node: RootContent, context: Context): ReactNode {
  if (context.depth > MAX_DEPTH) return plainText(node);
  const within = (tag: string, properties: Record<string, unknown> = {}): ReactNode =>
    "children" in node ? createElement(tag, properties, childrenOf(node, context)) : null;
  switch (node.type) {
    case "paragraph":
      return within("p");
    case "heading":
      // The page has the first two ranks of headings.
      return within(`h${Math.min(6, node.depth + 2)}`);
    case "text":
      return node.value;
    case "html":
      return context.depth === 1 ? createElement("p", {}, node.value) : node.value;
    case "emphasis":
      return within("em");
    case "strong":
      return within("strong");
    case "delete":
      return within("del");
    case "inlineCode":
      return createElement("code", {}, node.value);
    case "code":
      return context.codeBlock(node.value, (node.lang ?? "").toLowerCase());
    case "blockquote":
      return within("blockquote", DIRECTION_OF_TEXT);
    case "list":
      return within(node.ordered === true ? "ol" : "ul", listProperties(node));
    case "listItem":
      return createElement(
        "li",
        {},
        typeof node.checked === "boolean" ? checkbox(node.checked) : null,
        childrenOf(node, context),
      );
    case "table":
      return table(node, context);
    case "tableRow":
    case "tableCell":
      return null;
    case "thematicBreak":
      return createElement("hr");
    case "break":
      return createElement("br");
    case "link":
      return link(node.url, childrenOf(node, context));
    case "linkReference": {
      const url = context.definitions.get(node.identifier);
      const children = childrenOf(node, context);
      return url === undefined
        ? createElement(Fragment, {}, "[", children, "]")
        : link(url, children);
    }
    case "image":
      return link(node.url, pictureName(node.alt));
    case "imageReference":
      return link(context.definitions.get(node.identifier) ?? "", pictureName(node.alt));
    case "footnoteReference":
      return createElement("sup", {}, `[${node.label ?? node.identifier}]`);
    case "footnoteDefinition":
      return createElement(
        "div",
        { role: "note" },
        `[${node.label ?? node.identifier}] `,
        childrenOf(node, context),
      );
    case "definition":
    case "yaml":
      return null;
  }
}

/** Its marks stand where the first words begin, which is at the right in Hebrew or Arabic. */
const DIRECTION_OF_TEXT = { dir: "auto" };

function pictureName(alt: string | null | undefined): string {
  return `Picture: ${alt === null || alt === undefined || alt === "" ? "without a name" : alt}`;
}

function link(address: string, children: ReactNode): ReactNode {
  const href = safeLink(address);
  if (href === undefined) return createElement("span", {}, children);
  return createElement(
    "a",
    {
      href,
      target: "_blank",
      rel: "noopener noreferrer nofollow",
      referrerPolicy: "no-referrer",
      title: href,
    },
    children,
  );
}

function listProperties({ ordered, start }: List): Record<string, unknown> {
  const counts = ordered === true && typeof start === "number" && start !== 1;
  return counts ? { ...DIRECTION_OF_TEXT, start } : DIRECTION_OF_TEXT;
}

function checkbox(checked: boolean): ReactNode {
  const label = checked ? "done" : "to do";
  return createElement("input", {
    type: "checkbox",
    checked,
    disabled: true,
    readOnly: true,
    "aria-label": label,
  });
}

function table({ children, align }: Table, context: Context): ReactNode {
  const rows = children.map((row, rowIndex) =>
    createElement(
      "tr",
      { key: rowIndex },
      row.children.map((cell, column) =>
        createElement(
          rowIndex === 0 ? "th" : "td",
          {
            key: column,
            "data-align": alignment(align?.[column]),
            ...(rowIndex === 0 ? { scope: "col" } : {}),
          },
          childrenOf(cell, { ...context, depth: context.depth + 2 }),
        ),
      ),
    ),
  );
  // A wide table scrolls by itself, also by keys.
  return createElement(
    "div",
    { tabIndex: 0, role: "region", "aria-label": "Table", "data-scrolls": true },
    createElement(
      "table",
      {},
      createElement("thead", {}, rows.slice(0, 1)),
      createElement("tbody", {}, rows.slice(1)),
    ),
  );
}

function alignment(align: AlignType | undefined): string | undefined {
  return align ?? undefined;
}

/** The text of a node, found without a call for each level. */
function plainText(node: Nodes): string {
  const open: Nodes[] = [node];
  let text = "";
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if ("value" in next) text += next.value;
    if ("children" in next) open.push(...next.children.toReversed());
  }
  return text;
}
