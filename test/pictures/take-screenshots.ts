/** Makes the screenshots of README and docs from the running program: `make screenshots`. */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { openBrowser } from "../support/browser/open-browser.ts";
import { WatchedContext } from "../support/browser/watched-context.ts";
import { startPicturedProgram } from "./pictured-program.ts";
import { freeze, SCENES, structureOf } from "./scenes.ts";

const IMAGES = join(import.meta.dirname, "../../docs/images");
const STRUCTURES = join(import.meta.dirname, "structures");

await using program = await startPicturedProgram();
const browser = await openBrowser();
await mkdir(STRUCTURES, { recursive: true });
for (const { name, options, path, arrange } of SCENES) {
  const context = await WatchedContext.open(browser, { ...options, reducedMotion: "reduce" });
  const page = await context.openPage();
  await page.goto(`${program.url}${path}`);
  await arrange(page);
  await freeze(page);
  await page.screenshot({
    path: join(IMAGES, `${name}.png`),
    animations: "disabled",
    caret: "hide",
  });
  await writeFile(join(STRUCTURES, `${name}.txt`), await structureOf(page));
  await context.close(name);
  if (context.problems.length > 0) throw new Error(context.problems.join("\n"));
  process.stdout.write(`wrote docs/images/${name}.png\n`);
}
await browser.close();
