/** What the bundle is made of, and what `make audit` says about it, with a registry of this machine in place of the real one. */
import { execFile } from "node:child_process";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { createGunzip } from "node:zlib";
import { describe, expect, it, onTestFinished } from "vitest";
import { importsOf, programFiles } from "../../support/documents/source-modules.ts";

const ROOT = join(import.meta.dirname, "../../..");

interface Component {
  readonly "bom-ref": string;
  readonly group?: string;
  readonly name: string;
  readonly version: string;
  readonly purl: string;
  readonly hashes: readonly { alg: string; content: string }[];
}

interface Bill {
  readonly bomFormat: string;
  readonly specVersion: string;
  readonly metadata: { component: { name: string; "bom-ref": string } };
  readonly components: readonly Component[];
  readonly dependencies: readonly { ref: string; dependsOn: readonly string[] }[];
}

async function json<T>(...path: string[]): Promise<T> {
  return JSON.parse(await readFile(join(ROOT, ...path), "utf8")) as T;
}

const bill = await json<Bill>("dist/sbom.cdx.json");

function fullName({ group, name }: Component): string {
  return group === undefined ? name : `${group}/${name}`;
}

describe("the bill of the bundle", () => {
  it("lists every package whose licence the bundle carries, and every package that the program imports", async () => {
    const listed = bill.components.map((one) => `${fullName(one)} ${one.version} (`);
    const licenses = await readFile(join(ROOT, "dist/THIRD_PARTY_LICENSES"), "utf8");
    const carried = licenses.split(`\n${"-".repeat(80)}\n\n`).map((entry) => entry.split("\n")[0]);
    expect(carried.length).toBeGreaterThan(20);
    expect(carried.filter((title) => !listed.some((one) => title?.startsWith(one)))).toEqual([]);
    expect(listed).toHaveLength(carried.length);
    const imported = programFiles(ROOT)
      .flatMap((file) => importsOf(file, ROOT))
      .filter(({ kind, target }) => kind !== "type" && !/^(node:|src\/|package\.json)/.test(target))
      .map(({ target }) => /^(?:@[^/]+\/)?[^/]+/.exec(target)?.[0]);
    const names = bill.components.map(fullName);
    expect(imported.filter((name) => !names.includes(name ?? ""))).toEqual([]);
  });

  it("has the version and the checksum of each from the lock file", async () => {
    const { packages } = await json<{
      packages: Record<string, { version: string; integrity: string }>;
    }>("package-lock.json");
    for (const one of bill.components) {
      const [digest] = one.hashes;
      const locked = packages[one["bom-ref"]];
      const integrity = `sha512-${Buffer.from(digest?.content ?? "", "hex").toString("base64")}`;
      expect({ version: one.version, integrity, alg: digest?.alg }).toEqual({
        version: locked?.version,
        integrity: locked?.integrity,
        alg: "SHA-512",
      });
      expect(one.purl).toBe(`pkg:npm/${fullName(one).replace("@", "%40")}@${one.version}`);
    }
  });

  it("is of CycloneDX, and refers to nothing that it does not hold", () => {
    expect(bill).toMatchObject({
      bomFormat: "CycloneDX",
      specVersion: "1.6",
      metadata: { component: { name: "omnia" } },
    });
    const known = new Set([
      bill.metadata.component["bom-ref"],
      ...bill.components.map((one) => one["bom-ref"]),
    ]);
    expect(bill.dependencies.map(({ ref }) => ref).toSorted()).toEqual([...known].toSorted());
    const named = bill.dependencies.flatMap(({ dependsOn }) => dependsOn);
    expect(named.filter((ref) => !known.has(ref))).toEqual([]);
    expect(named).toEqual(expect.arrayContaining(["node_modules/ws", "node_modules/sonic-boom"]));
  });
});

interface Registry {
  readonly url: string;
  /** Names of the packages that it was asked about. */
  readonly asked: Set<string>;
}

/** Answers as a registry does; without `advisories` it knows no such question. */
async function startRegistry(
  advisories: Readonly<Record<string, readonly object[]>> | undefined,
): Promise<Registry> {
  const asked = new Set<string>();
  const server: Server = createServer((request, response) => {
    void (async () => {
      if (request.method !== "POST" || advisories === undefined) {
        response.writeHead(request.method === "POST" ? 405 : 404).end();
        return;
      }
      const zipped = request.headers["content-encoding"] === "gzip";
      const body = await text(zipped ? request.pipe(createGunzip()) : request);
      for (const name of Object.keys(JSON.parse(body) as object)) asked.add(name);
      response.writeHead(200, { "content-type": "application/json" });
      response.end(JSON.stringify(advisories));
    })();
  });
  const listening = Promise.withResolvers<void>();
  server.listen(0, "127.0.0.1", listening.resolve);
  await listening.promise;
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, asked };
}

function advisory(severity: string): object {
  return {
    id: 1,
    url: "https://advisories.example.com/1",
    title: `A ${severity} weakness`,
    severity,
    vulnerable_versions: "<=999",
    cwe: [],
    cvss: { score: 0, vectorString: null },
  };
}

async function audit(
  registry: string,
  env: Readonly<Record<string, string>> = {},
): Promise<{ code: number; output: string }> {
  const cache = await mkdtemp(join(tmpdir(), "omnia-audit-"));
  onTestFinished(() => rm(cache, { recursive: true, force: true }));
  return await new Promise((resolve) => {
    const child = execFile(
      process.execPath,
      [join(ROOT, "supply-chain/audit.ts")],
      {
        env: {
          PATH: process.env["PATH"],
          HOME: cache,
          npm_config_registry: registry,
          npm_config_cache: cache,
          ...env,
        },
      },
      (_error, stdout) => resolve({ code: child.exitCode ?? -1, output: stdout }),
    );
  });
}

describe("make audit", () => {
  it.each(["high", "critical"])("fails by an advisory of severity %s", async (severity) => {
    const registry = await startRegistry({ hono: [advisory(severity)] });
    expect(await audit(registry.url)).toEqual({
      code: 1,
      output: `${severity}: hono: A ${severity} weakness (https://advisories.example.com/1)\n`,
    });
    // Every package is asked about, although all of them are development dependencies.
    const names = bill.components.map(fullName);
    expect(names.filter((name) => !registry.asked.has(name))).toEqual([]);
  });

  it("tells of a lesser one, and passes", async () => {
    const registry = await startRegistry({ ws: [advisory("moderate")] });
    expect(await audit(registry.url)).toEqual({
      code: 0,
      output: "moderate: ws: A moderate weakness (https://advisories.example.com/1)\n",
    });
  });

  it("passes over a tool that users do not get", async () => {
    const registry = await startRegistry({ vitest: [advisory("critical")] });
    expect(await audit(registry.url)).toEqual({
      code: 0,
      output: `No advisory is about any of the ${bill.components.length} packages of the bundle\n`,
    });
  });

  it("says aloud that it could not ask, and fails by that only where it is told to", async () => {
    const registry = await startRegistry(undefined);
    const unsaid = await audit(registry.url);
    expect(unsaid.code).toBe(0);
    expect(unsaid.output).toMatch(/^ADVISORIES NOT CHECKED: .* 405 /);
    expect(await audit(registry.url, { AUDIT: "required" })).toMatchObject({
      code: 1,
      output: expect.stringMatching(/^ADVISORIES NOT CHECKED: /) as unknown,
    });
  });
});
