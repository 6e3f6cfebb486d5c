/** What an API server was asked to write, by whom: from its own audit log. */
import { open, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";

const NOT_AUDITED = [
  { level: "None", verbs: ["get", "list", "watch"] },
  { level: "None", resources: [{ group: "coordination.k8s.io", resources: ["leases"] }] },
];
/** A line is there before its answer is sent; the file may follow by a moment. */
const SETTLE_MS = 100;

interface AuditEvent {
  auditID: string;
  verb: string;
  user: { username: string };
  userAgent?: string;
  objectRef?: {
    apiGroup?: string;
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

export interface AuditedRequest {
  readonly verb: string;
  /** The group and the resource, such as "apps/deployments" or "/secrets". */
  readonly resource: string;
  readonly namespace: string | undefined;
  readonly status: number;
}

export class AuditLog {
  readonly #path: string;
  /** User → the requests in the part of the file that was read. */
  readonly #requests = new Map<string, AuditedRequest[]>();
  #readBytes = 0;
  #reading: Promise<void> | undefined;
  /** For kube-apiserver. */
  readonly flags: readonly string[];

  private constructor(path: string, policy: string) {
    this.#path = path;
    this.flags = [`--audit-log-path=${path}`, `--audit-policy-file=${policy}`];
  }

  /** With `reads`, all requests are audited; without, only writes of what is not a lease are. */
  static async create(folder: string, { reads = false } = {}): Promise<AuditLog> {
    const policy = join(folder, "audit-policy.json");
    await writeFile(
      policy,
      JSON.stringify({
        apiVersion: "audit.k8s.io/v1",
        kind: "Policy",
        omitStages: ["RequestReceived"],
        rules: reads ? [{ level: "Metadata" }] : [...NOT_AUDITED, { level: "Metadata" }],
      }),
    );
    return new AuditLog(join(folder, "audit.log"), policy);
  }

  /** Every request by this user so far, if reads are audited. A watch is among them as soon as it has begun. */
  async requests(by: string): Promise<readonly AuditedRequest[]> {
    this.#reading ??= this.#read().finally(() => (this.#reading = undefined));
    await this.#reading;
    return this.#requests.get(by) ?? [];
  }

  async #read(): Promise<void> {
    const file = await open(this.#path).catch(() => undefined);
    if (file === undefined) return;
    await using _ = file;
    const { size } = await file.stat();
    const bytes = Buffer.alloc(size - this.#readBytes);
    await file.read(bytes, 0, bytes.length, this.#readBytes);
    // The last line may not be whole yet.
    const end = bytes.lastIndexOf("\n") + 1;
    this.#readBytes += end;
    for (const line of bytes.subarray(0, end).toString().split("\n").slice(0, -1)) {
      const event = JSON.parse(line) as AuditEvent;
      const { username } = event.user;
      const known = this.#requests.get(username);
      if (known === undefined) this.#requests.set(username, [requestOf(event)]);
      else known.push(requestOf(event));
    }
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

function requestOf({ verb, objectRef, responseStatus }: AuditEvent): AuditedRequest {
  const { apiGroup = "", resource = "", subresource, namespace } = objectRef ?? {};
  const path = subresource === undefined ? resource : `${resource}/${subresource}`;
  return {
    verb,
    resource: `${apiGroup}/${path}`,
    namespace,
    status: responseStatus?.code ?? 0,
  };
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
