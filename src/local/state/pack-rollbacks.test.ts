import { readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { systemClock } from "../../time/clock.ts";
import { folderForEachTest, forEachTest } from "../../../test/support/builders/fixtures.ts";
import { PackRollbacks } from "./pack-rollbacks.ts";

const folder = folderForEachTest();
const rollbacks = forEachTest(() => PackRollbacks.of(folder()));
const pack = { namespace: "agents", name: "support" };
const rollback = { version: "0123456789ab", source: "ba9876543210" };

describe("PackRollbacks", () => {
  it("give what was written, for this pack alone", async () => {
    await rollbacks().write(pack, rollback);
    expect(await rollbacks().read(pack)).toMatchObject(rollback);
    expect(await rollbacks().read({ ...pack, namespace: "default" })).toBeUndefined();
    await rollbacks().remove(pack);
    expect(await rollbacks().read(pack)).toBeUndefined();
  });

  it("take packs of the longest names", async () => {
    const long = { namespace: "n".repeat(63), name: "p".repeat(240) };
    await rollbacks().write(long, rollback);
    expect(await rollbacks().read(long)).toMatchObject(rollback);
  });

  it("take a file that cannot be read for none", async () => {
    await rollbacks().write(pack, rollback);
    const [file = ""] = await readdir(join(folder(), "rollbacks"));
    await writeFile(join(folder(), "rollbacks", file), "{");
    expect(await rollbacks().read(pack)).toBeUndefined();
  });

  it("tell of each that is written or removed, and of those that were there before", async () => {
    await rollbacks().write(pack, rollback);
    const over = new AbortController();
    const onChange = vi.fn<() => void>();
    const following = rollbacks().follow(onChange, systemClock, over.signal);
    onTestFinished(async () => {
      over.abort();
      await following;
    });
    await vi.waitFor(() => expect(onChange).toHaveBeenCalledTimes(1));
    await rollbacks().write(pack, { ...rollback, version: "000000000000" });
    await vi.waitFor(() => expect(onChange).toHaveBeenCalledTimes(2), { timeout: 5_000 });
    await rollbacks().remove(pack);
    await vi.waitFor(() => expect(onChange).toHaveBeenCalledTimes(3), { timeout: 5_000 });
  });
});
