import { statSync } from "node:fs";
import { readFile } from "node:fs/promises";
import type { RequestOptions } from "node:http";
import type { AgentOptions } from "node:https";
// Not from the package as a whole: that would load the classes of the whole API, some ten megabytes.
import { KubeConfig } from "@kubernetes/client-node/dist/config.js";
import { type Clock, systemClock } from "../../time/clock.ts";
import { untilAborted } from "../../time/until-aborted.ts";

export type TlsOptions = Pick<
  AgentOptions,
  "ca" | "cert" | "key" | "rejectUnauthorized" | "servername"
>;

/** What a request carries so that the API server lets it in. */
export interface Authentication extends RequestOptions, TlsOptions {
  headers?: Record<string, string>;
}

/** A file that was written this short a time ago may be written again without a change of its time. */
const FRESH_MS = 1_000;

/**
 * The credentials of a kubeconfig. They are asked for at every request, because all of them may change: certificates and tokens in
 * files are read again when the files have changed, exec plugins and identity providers keep what they gave until it expires.
 * Callers that ask at the same time share one answer, so that a plugin runs once for all of them. As long as no file has changed, the
 * answer is the same object.
 */
export class Credentials {
  readonly #original: KubeConfig;
  readonly #clock: Pick<Clock, "now">;
  #kubeConfig: KubeConfig;
  #pending: Promise<Authentication> | undefined;
  #newest: Authentication | undefined;
  /** What counts as long as its files stay as they are. */
  #kept: { readonly authentication: Authentication; readonly stamp: string } | undefined;

  constructor(kubeConfig: KubeConfig, clock: Pick<Clock, "now"> = systemClock) {
    this.#original = kubeConfig;
    this.#kubeConfig = kubeConfig;
    this.#clock = clock;
  }

  async get(signal: AbortSignal): Promise<Authentication> {
    signal.throwIfAborted();
    if (this.#kept !== undefined && this.#kept.stamp === this.#stamp()) {
      return this.#kept.authentication;
    }
    this.#pending ??= this.#ask().finally(() => (this.#pending = undefined));
    // A caller does not wait longer than it wants to for a plugin that hangs.
    const given = await untilAborted(this.#pending, signal);
    this.#newest = given;
    return given;
  }

  /**
   * Whether a request whose credentials were refused may be sent again with others. A plugin is then run again although what it
   * gave has not expired, but only once for all requests that had the same credentials.
   */
  renew(refused: Authentication): boolean {
    if (this.#original.getCurrentUser()?.exec == null) return false;
    if (this.#newest !== undefined && isSame(refused, this.#newest)) {
      const { clusters, users, contexts, currentContext } = this.#original;
      this.#kubeConfig = new KubeConfig();
      this.#kubeConfig.loadFromOptions({ clusters, users, contexts, currentContext });
      this.#newest = undefined;
    }
    return true;
  }

  async #ask(): Promise<Authentication> {
    this.#kept = undefined;
    const authentication: Authentication = {};
    // Before the files are read, so that a change in between is a change.
    const stamp = this.#stamp();
    const file = tokenFileOf(this.#kubeConfig);
    // client-node would read a token file only once a minute, by a clock that may be set back.
    const token = file === undefined ? undefined : (await readFile(file, "utf8")).trim();
    await this.#kubeConfig.applyToHTTPSOptions(authentication);
    if (token !== undefined) {
      authentication.headers = { ...authentication.headers, Authorization: `Bearer ${token}` };
    }
    if (stamp !== undefined) this.#kept = { authentication, stamp };
    return authentication;
  }

  /** Changes when one of the files does. `undefined`: what the files say is not all, or it cannot be told whether they change. */
  #stamp(): string | undefined {
    const files = filesOf(this.#kubeConfig);
    if (files === undefined) return undefined;
    let stamp = "";
    for (const file of files) {
      // This takes a tenth of the time of reading the file, and in a pod it waits for no disk.
      const found = statSync(file, { throwIfNoEntry: false });
      if (found === undefined || found.ctimeMs > this.#clock.now() - FRESH_MS) return undefined;
      stamp += `${found.dev} ${found.ino} ${found.size} ${found.mtimeMs} ${found.ctimeMs} `;
    }
    return stamp;
  }
}

/** The files that hold credentials. `undefined`: others come from a plugin or a provider, which may give something else next time. */
function filesOf(kubeConfig: KubeConfig): string[] | undefined {
  const { exec, authProvider, certFile, keyFile } = kubeConfig.getCurrentUser() ?? {};
  const tokenFile = tokenFileOf(kubeConfig);
  if (exec != null || (authProvider != null && tokenFile === undefined)) return undefined;
  const files = [kubeConfig.getCurrentCluster()?.caFile, certFile, keyFile, tokenFile];
  return files.filter((file) => file != null && file !== "") as string[];
}

function isSame(one: Authentication, other: Authentication): boolean {
  const valuesOf = ({ headers, cert }: Authentication): string =>
    JSON.stringify([headers?.["Authorization"], String(cert)]);
  return valuesOf(one) === valuesOf(other);
}

/** The token file of a pod's service account. */
function tokenFileOf(kubeConfig: KubeConfig): string | undefined {
  const provider = kubeConfig.getCurrentUser()?.authProvider as
    | { config?: { tokenFile?: string } }
    | undefined;
  return provider?.config?.tokenFile;
}
