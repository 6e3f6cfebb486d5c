import { describe, expect, it } from "vitest";
import { LiveRegion } from "./live-region.ts";

/** The part of a terminal that the region uses. */
class Screen {
  lines: string[] = [""];
  #row = 0;
  writes = 0;

  on(): void {}
  off(): void {}

  write(text: string): void {
    this.writes += 1;
    const ESCAPE = "\u001B";
    for (const [part] of text.matchAll(
      new RegExp(`${ESCAPE}\\[\\??\\d*[A-Za-z]|[^${ESCAPE}]`, "gu"),
    )) {
      if (part === "\n") this.#row += 1;
      else if (part === "\u001B[J") this.lines.splice(this.#row);
      else if (part.endsWith("A")) this.#row -= Number(part.slice(2, -1));
      else if (part === "\r") this.lines[this.#row] = "";
      else if (!part.startsWith("\u001B")) this.lines[this.#row] += part;
      this.lines[this.#row] ??= "";
      if (part === "\n") this.lines[this.#row] = "";
    }
  }
}

describe("LiveRegion", () => {
  it("draws again in place, also with fewer lines, and prints other lines above", () => {
    const screen = new Screen();
    const region = new LiveRegion(screen);
    region.update(["one", "two", "three"]);
    region.update(["1", "2"]);
    expect(screen.lines).toEqual(["1", "2", ""]);
    region.update(["1", "2"], ["something happened"]);
    region.update(["1", "2", "3"]);
    expect(screen.lines).toEqual(["something happened", "1", "2", "3", ""]);
  });

  it("writes once an update, and nothing when nothing is different", () => {
    const screen = new Screen();
    const region = new LiveRegion(screen);
    region.update(["one", "two"], ["above"]);
    region.update(["one", "two"]);
    expect(screen.writes).toBe(1);
  });
});
