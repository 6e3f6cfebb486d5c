/** What an API server was asked to write, by whom: from its own audit log. */
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";

/** A line is there before its answer is sent; the file may follow by a moment. */
const SETTLE_MS = 100;

interface AuditEvent {
  auditID: string;
  verb: string;
  user: { username: string };
  userAgent?: string;
  objectRef?: {
    resource: string;
    namespace?: string;
    name?: string;
    subresource?: string;
  };
  responseStatus?: { code?: number };
  requestReceivedTimestamp: string;
}

export interface Write {
  readonly verb: string;
  readonly user: string;
  /** "deployments team/support" or "agentruntimes/status team/support". */
  readonly what: string;
  readonly status: number;
  /** Milliseconds since 1970. */
  readonly at: number;
}

export class AuditLog {
  readonly #path: string;
  /** For kube-apiserver. */
  readonly flags: readonly string[];

  private constructor(path: string, policy: string) {
    this.#path = path;
    this.flags = [`--audit-log-path=${path}`, `--audit-policy-file=${policy}`];
  }

  static async create(folder: string): Promise<AuditLog> {
    const policy = join(folder, "audit-policy.json");
    await writeFile(
      policy,
      JSON.stringify({
        apiVersion: "audit.k8s.io/v1",
        kind: "Policy",
        omitStages: ["RequestReceived"],
        rules: [
          { level: "None", verbs: ["get", "list", "watch"] },
          { level: "None", resources: [{ group: "coordination.k8s.io", resources: ["leases"] }] },
          { level: "Metadata" },
        ],
      }),
    );
    return new AuditLog(join(folder, "audit.log"), policy);
  }

  /** Every write by this user since then, leases left out, refused ones included, in order of their answers. */
  async writes(options: { by: string; since?: number }): Promise<Write[]> {
    await delay(SETTLE_MS);
    const text = await readFile(this.#path, "utf8").catch(() => "");
    // The last line may not be whole yet.
    const lines = text.split("\n").slice(0, -1);
    return lines
      .map((line) => JSON.parse(line) as AuditEvent)
      .filter(({ user }) => user.username === options.by)
      .map(writeOf)
      .filter(({ at }) => at >= (options.since ?? 0));
  }
}

function writeOf(event: AuditEvent): Write {
  const { resource = "", subresource, namespace, name } = event.objectRef ?? {};
  const kind = subresource === undefined ? resource : `${resource}/${subresource}`;
  return {
    verb: event.verb,
    user: event.user.username,
    what: `${kind} ${namespace ?? ""}/${name ?? ""}`,
    status: event.responseStatus?.code ?? 0,
    at: Date.parse(event.requestReceivedTimestamp),
  };
}
