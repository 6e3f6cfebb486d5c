import { mkdir, mkdtemp, rename, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { systemClock } from "../../time/clock.ts";
import { FileWatch } from "./file-watch.ts";

/** So long that no test waits for it: what is noticed is noticed without it. */
const NEVER_MS = 3_600_000;
const SOON = { timeout: 5_000, interval: 10 };

/** Files as the kubelet lays them out: all of a version are in a folder of its own, to which links lead. */
class Volume {
  readonly root: string;
  #version = 0;

  private constructor(root: string) {
    this.root = root;
  }

  static async make(): Promise<Volume> {
    const root = await mkdtemp(join(tmpdir(), "omnia-volume-"));
    onTestFinished(() => rm(root, { recursive: true }));
    return new Volume(root);
  }

  /** Puts a file at `<folder>/key`, in place of the version before. */
  async write(folder: string, text: string): Promise<void> {
    const before = `..version-${this.#version}`;
    const after = `..version-${++this.#version}`;
    await mkdir(join(this.root, after, folder), { recursive: true });
    await writeFile(join(this.root, after, folder, "key"), text);
    await symlink(after, join(this.root, "..data_tmp"));
    await rename(join(this.root, "..data_tmp"), join(this.root, "..data"));
    if (this.#version === 1 && folder !== "")
      await symlink(join("..data", folder), join(this.root, folder));
    await rm(join(this.root, before), { recursive: true, force: true });
  }
}

function watching(folders: readonly string[], pollMs = NEVER_MS) {
  const onChange = vi.fn<() => void>();
  const files = new FileWatch({ clock: systemClock, pollMs, onChange });
  onTestFinished(() => files.close());
  files.watch(folders, pollMs);
  /** Resolves when the change was noticed. */
  async function notices(change: () => Promise<void>): Promise<void> {
    const before = onChange.mock.calls.length;
    await change();
    await vi.waitFor(() => expect(onChange.mock.calls.length).toBeGreaterThan(before), SOON);
  }
  return { files, onChange, notices };
}

describe("the watch of files beside the config", () => {
  it("notices every change of a Secret in a projected volume, and not the first alone", async () => {
    const volume = await Volume.make();
    await volume.write("store", "first");
    const { notices } = watching([join(volume.root, "store")]);
    for (const text of ["second", "third", "fourth", "fifth"])
      await notices(() => volume.write("store", text));
  });

  it("notices every change of a volume that is watched at its root", async () => {
    const volume = await Volume.make();
    await volume.write("", "first");
    const { notices } = watching([volume.root]);
    for (const text of ["second", "third", "fourth"]) await notices(() => volume.write("", text));
  });

  it("notices changes of a file that is replaced by a rename, and of one that is written over", async () => {
    const { root } = await Volume.make();
    const { notices } = watching([root]);
    for (const text of ["first", "second", "third"]) {
      await writeFile(join(root, "next"), text);
      await notices(() => rename(join(root, "next"), join(root, "key")));
      await notices(() => writeFile(join(root, "key"), `${text}, corrected`));
    }
  });

  it("notices changes in a folder that was removed and made again", async () => {
    const { root } = await Volume.make();
    const folder = join(root, "store");
    await mkdir(folder);
    const { notices } = watching([folder], 20);
    for (const text of ["first", "second"]) {
      await rm(folder, { recursive: true });
      await mkdir(folder);
      await notices(() => writeFile(join(folder, "key"), text));
    }
  });

  it("says nothing more of folders once others are watched, and nothing at all once it is closed", async () => {
    const volume = await Volume.make();
    await volume.write("store", "first");
    const other = await Volume.make();
    const { files, onChange } = watching([join(volume.root, "store")]);
    const ofVolume = watching([volume.root]);
    const ofOther = watching([other.root]);
    files.watch([other.root], NEVER_MS);
    await ofVolume.notices(() => volume.write("store", "second"));
    expect(onChange).not.toHaveBeenCalled();
    files.close();
    await ofOther.notices(() => other.write("", "first"));
    expect(onChange).not.toHaveBeenCalled();
  });
});
