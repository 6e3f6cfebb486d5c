/** Writes what the chart has from the sources: the CustomResourceDefinitions and the rules of its roles. */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { stringify } from "yaml";
import { customResourceDefinitions } from "../src/api/crd.ts";
import {
  GATEWAY_API_RULES,
  GATEWAY_RESOURCE_RULES,
  GATEWAY_RULES,
} from "../src/gateway-cluster/permissions.ts";
import { ADMISSION_POLICY } from "../src/operator/admission-policy.ts";
import { GATEWAY_KEY_NAME, LEASE_NAME, SIGNING_KEY_NAME } from "../src/operator/cluster/labels.ts";
import {
  CLUSTER_RULES,
  gatewayKeyRules,
  ownNamespaceRules,
  SECRET_RULES,
  USER_RULES,
  WATCHED_NAMESPACE_RULES,
} from "../src/operator/permissions.ts";

const HEAD = "# Made by `make generate`. Do not edit.\n";
const FILES = join(import.meta.dirname, "omnia/files");

/** Path in the chart's folder of files → content. */
export function chartFiles(): Map<string, string> {
  const files = new Map<string, string>();
  for (const definition of customResourceDefinitions()) {
    const { metadata } = definition as { metadata: { name: string } };
    files.set(`crds/${metadata.name}.yaml`, HEAD + toYAML(definition));
  }
  const rules = {
    watched: WATCHED_NAMESPACE_RULES,
    "secrets-watch": SECRET_RULES.watch,
    "secrets-get": SECRET_RULES.get,
    cluster: CLUSTER_RULES,
    own: ownNamespaceRules({ lease: LEASE_NAME, signingKey: SIGNING_KEY_NAME }),
    "own-gateway": gatewayKeyRules(GATEWAY_KEY_NAME),
    view: USER_RULES.view,
    edit: USER_RULES.edit,
    sessions: USER_RULES.sessions,
    admin: USER_RULES.admin,
    gateway: GATEWAY_RULES,
    "gateway-resources": GATEWAY_RESOURCE_RULES,
    "gateway-api": GATEWAY_API_RULES,
  };
  for (const [name, value] of Object.entries(rules)) {
    files.set(`rules/${name}.yaml`, HEAD + toYAML(value));
  }
  files.set("admission-policy.yaml", HEAD + toYAML(ADMISSION_POLICY));
  return files;
}

function toYAML(value: unknown): string {
  return stringify(value, { lineWidth: 0, aliasDuplicateObjects: false });
}

if (import.meta.main) {
  for (const [path, content] of chartFiles()) {
    const file = join(FILES, path);
    await mkdir(join(file, ".."), { recursive: true });
    await writeFile(file, content);
    process.stdout.write(`wrote charts/omnia/files/${path}\n`);
  }
}
