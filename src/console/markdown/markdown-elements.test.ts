import fc from "fast-check";
import { createElement, Fragment } from "react";
import { renderToStaticMarkup } from "react-dom/server";
import { describe, expect, it } from "vitest";
import { HOSTILE_MARKDOWN } from "../../../test/support/hostile/hostile-markdown.ts";
import { MAX_BLOCK_LENGTH } from "./block-cutter.ts";
import { markdownElements, parseMarkdown } from "./markdown-elements.ts";

const ALLOWED_TAGS = new Set(
  "p h3 h4 h5 h6 em strong del code pre blockquote ol ul li input hr br a span sup div table thead tbody tr th td".split(
    " ",
  ),
);

const ALLOWED_ATTRIBUTES =
  "href target rel referrerpolicy title start type checked disabled readonly aria-label tabindex role data-align data-scrolls scope dir".split(
    " ",
  );

describe("the elements of Markdown", () => {
  it.each([
    ["# A *b*", "<h3>A <em>b</em></h3>"],
    ["a **b** ~~c~~ `d`", "<p>a <strong>b</strong> <del>c</del> <code>d</code></p>"],
    ["1. a\n2. b", '<ol dir="auto"><li><p>a</p></li><li><p>b</p></li></ol>'],
    ["7. a", '<ol dir="auto" start="7"><li><p>a</p></li></ol>'],
    ["a &amp; b &copy;", "<p>a &amp; b ©</p>"],
    ["```ts\nlet a;\n```", "<pre>ts|let a;</pre>"],
  ])("shows %j", (markdown, expected) => {
    expect(htmlOf(markdown)).toBe(expected);
  });

  it("shows a table that scrolls by itself", () => {
    expect(htmlOf("|a|b|\n|-|-:|\n|1|2|")).toBe(
      '<div tabindex="0" role="region" aria-label="Table" data-scrolls="true"><table><thead><tr><th scope="col">a</th><th data-align="right" scope="col">b</th></tr></thead><tbody><tr><td>1</td><td data-align="right">2</td></tr></tbody></table></div>',
    );
  });

  it("makes links of addresses, but not of a block that is made of nothing else", () => {
    expect(htmlOf("write to a@example.org")).toContain('href="mailto:a@example.org"');
    expect(htmlOf("a@example.org ".repeat(300))).not.toContain("href");
  });

  it("says whether a task of a list is done", () => {
    expect(htmlOf("- [x] a")).toContain('aria-label="done"');
  });

  it.each(["https://example.com/a", "http://example.com/", "mailto:a@example.com"])(
    "makes a link of %s that tells the page behind it nothing",
    (address) => {
      expect(htmlOf(`[x](${address})`)).toBe(
        `<p><a href="${address}" target="_blank" rel="noopener noreferrer nofollow" referrerPolicy="no-referrer" title="${address}">x</a></p>`,
      );
    },
  );

  it("makes a link of a picture, which it does not load", () => {
    expect(htmlOf("![a cat](https://example.com/cat.png)")).toMatch(
      /^<p><a .*>Picture: a cat<\/a><\/p>$/,
    );
  });

  it.each(HOSTILE_MARKDOWN)("neither runs nor loads anything of %j", (markdown) => {
    expectHarmless(htmlOf(markdown));
  });

  it("neither runs nor loads anything of any mixture", () => {
    const piece = fc.constantFrom(...HOSTILE_MARKDOWN.filter((text) => text.length < 500));
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 5 }), fc.nat(), (pieces, cut) => {
        const text = pieces.join("");
        expectHarmless(htmlOf(text.slice(0, cut % (text.length + 1))));
      }),
    );
  });

  it.each([
    "> ",
    "- ",
    "*a _b ",
    "[",
    "![",
    "`a ``b ",
    "<a ",
    "&#x",
    "|",
    "~~a ",
    "1) ",
    "\\",
    "**",
  ])("shows a block that is full of %j, however deep it nests", (piece) => {
    const text = piece.repeat(MAX_BLOCK_LENGTH / piece.length);
    expect(htmlOf(text).length).toBeGreaterThan(0);
  });
});

function htmlOf(markdown: string): string {
  const elements = markdownElements(parseMarkdown(markdown), (code, language) =>
    createElement("pre", {}, `${language}|${code}`),
  );
  return renderToStaticMarkup(createElement(Fragment, {}, elements));
}

/** Only elements and attributes that are known to be harmless. */
function expectHarmless(html: string): void {
  for (const [, tag = "", attributes = ""] of html.matchAll(/<([a-z\d]+)([^>]*)>/gi)) {
    expect(ALLOWED_TAGS).toContain(tag);
    for (const [, name = ""] of attributes.matchAll(/([\w-]+)="[^"]*"/g)) {
      expect(ALLOWED_ATTRIBUTES).toContain(name.toLowerCase());
    }
    for (const [, href = ""] of attributes.matchAll(/href="([^"]*)"/g)) {
      expect(href).toMatch(/^(https?:\/\/|mailto:)/);
    }
  }
}
