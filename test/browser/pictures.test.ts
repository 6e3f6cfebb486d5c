/** README.md and the docs show pictures of the program: it still shows what is pictured. */
import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect } from "vitest";
import { castPicture } from "../pictures/cast-picture.ts";
import { type Cast, readCast, screensOf, textOf } from "../pictures/cast.ts";
import { startPicturedProgram } from "../pictures/pictured-program.ts";
import { recordFirstAnswer } from "../pictures/record-first-answer.ts";
import { freeze, SCENES, structureOf } from "../pictures/scenes.ts";
import { it as browserIt } from "../support/browser/it.ts";

const IMAGES = join(import.meta.dirname, "../../docs/images");
const MAX_RECORDING_BYTES = 500 * 1024;
const MAX_SCREENSHOT_BYTES = 150 * 1024;
const STRUCTURES = join(import.meta.dirname, "../pictures/structures");
const RECORD_TIMEOUT_MS = 120_000;

// Vitest reads from the pattern that nothing is needed before.
// oxlint-disable-next-line no-empty-pattern
const it = browserIt.extend("program", { scope: "file" }, async ({}, { onCleanup }) => {
  const program = await startPicturedProgram();
  onCleanup(() => program[Symbol.asyncDispose]());
  return program;
});

/** The last screen, without what is another one each time. */
async function endOf(cast: Cast): Promise<string> {
  const last = (await screensOf(cast)).at(-1);
  return last === undefined ? "" : textOf(last).replaceAll(/--session \S+/g, "--session …");
}

describe("a screenshot", () => {
  it.for(SCENES)("$name shows what the console shows", async (scene, { openPage, program }) => {
    const { name, options, path, arrange } = scene;
    const page = await openPage(`${program.url}${path}`, { ...options, reducedMotion: "reduce" });
    await arrange(page);
    await freeze(page);
    const kept = await readFile(join(STRUCTURES, `${name}.txt`), "utf8");
    expect(await structureOf(page), "run make screenshots").toBe(kept);
    expect((await stat(join(IMAGES, `${name}.png`))).size).toBeLessThan(MAX_SCREENSHOT_BYTES);
  });
});

describe("the recording of a first answer", () => {
  it("shows what the program says", { timeout: RECORD_TIMEOUT_MS }, async () => {
    const kept = readCast(await readFile(join(IMAGES, "first-answer.cast"), "utf8"));
    const now = await recordFirstAnswer({ unhurried: false });
    expect(await endOf(now), "run make recording").toBe(await endOf(kept));
  });

  it("is drawn as a picture that is small", async () => {
    const picture = await readFile(join(IMAGES, "first-answer.svg"), "utf8");
    const cast = readCast(await readFile(join(IMAGES, "first-answer.cast"), "utf8"));
    expect(picture, "run make recording").toBe(await castPicture(cast));
    expect((await stat(join(IMAGES, "first-answer.svg"))).size).toBeLessThan(MAX_RECORDING_BYTES);
    expect(picture).not.toMatch(/<script|href="http/);
  });
});
