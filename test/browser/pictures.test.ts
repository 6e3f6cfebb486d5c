/** README.md and the docs show pictures of the program: it still shows what is pictured. */
import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { castPicture } from "../pictures/cast-picture.ts";
import { type Cast, readCast, screensOf, textOf } from "../pictures/cast.ts";
import { recordFirstAnswer } from "../pictures/record-first-answer.ts";

const IMAGES = join(import.meta.dirname, "../../docs/images");
const MAX_RECORDING_BYTES = 500 * 1024;
const RECORD_TIMEOUT_MS = 120_000;

/** The last screen, without what is another one each time. */
async function endOf(cast: Cast): Promise<string> {
  const last = (await screensOf(cast)).at(-1);
  return last === undefined ? "" : textOf(last).replaceAll(/--session \S+/g, "--session …");
}

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
