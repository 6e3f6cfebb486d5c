/** What the bundle is made of, in the format of CycloneDX 1.6. The same packages make the same text: it holds no time. */
import type { BundledPackage } from "./bundled-packages.ts";

/** In the folder of the bundle. */
export const SOFTWARE_BILL_FILE = "sbom.cdx.json";

export function softwareBill(
  program: {
    name: string;
    version: string;
    license: string;
    devDependencies: Readonly<Record<string, string>>;
  },
  packages: readonly BundledPackage[],
): string {
  const references = new Set(packages.map(({ path }) => path));
  // The program depends on what it is built from: users install none of it.
  const direct = Object.keys(program.devDependencies).map((name) => `node_modules/${name}`);
  const root = `${program.name}@${program.version}`;
  const bill = {
    $schema: "http://cyclonedx.org/schema/bom-1.6.schema.json",
    bomFormat: "CycloneDX",
    specVersion: "1.6",
    version: 1,
    metadata: {
      component: {
        "bom-ref": root,
        type: "application",
        name: program.name,
        version: program.version,
        licenses: licenses(program.license),
      },
    },
    components: packages.map(({ name, version, license, path, integrity }) => ({
      "bom-ref": path,
      type: "library",
      ...nameAndGroup(name),
      version,
      scope: "required",
      hashes: hashes(integrity),
      licenses: licenses(license),
      purl: `pkg:npm/${name.replace("@", "%40")}@${version}`,
      properties: [{ name: "cdx:npm:package:path", value: path }],
    })),
    dependencies: [
      { ref: root, dependsOn: direct.filter((one) => references.has(one)).toSorted() },
      ...packages.map(({ path, dependencies }) => ({
        ref: path,
        dependsOn: dependencies.filter((one) => references.has(one)).toSorted(),
      })),
    ],
  };
  return `${JSON.stringify(bill, null, 2)}\n`;
}

function nameAndGroup(name: string): { group?: string; name: string } {
  const [group = "", rest] = name.split("/");
  return rest === undefined ? { name } : { group, name: rest };
}

/** The lock file has checksums in base64, and CycloneDX has them in hexadecimal digits. */
function hashes(integrity: string): { alg: string; content: string }[] {
  return integrity.split(" ").map((one) => {
    const [algorithm = "", digest = ""] = one.split("-");
    return {
      alg: algorithm.toUpperCase().replace("SHA", "SHA-"),
      content: Buffer.from(digest, "base64").toString("hex"),
    };
  });
}

function licenses(license: string | undefined): object[] {
  if (license === undefined) return [];
  return / (AND|OR|WITH) /.test(license)
    ? [{ expression: license }]
    : [{ license: { id: license } }];
}
