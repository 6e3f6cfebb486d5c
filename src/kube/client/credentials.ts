import { readFileSync } from "node:fs";
import type { RequestOptions } from "node:http";
import type { AgentOptions } from "node:https";
// Not from the package as a whole: that would load the classes of the whole API, some ten megabytes.
import { KubeConfig } from "@kubernetes/client-node/dist/config.js";
import { untilAborted } from "../../time/until-aborted.ts";

export type TlsOptions = Pick<
  AgentOptions,
  "ca" | "cert" | "key" | "rejectUnauthorized" | "servername"
>;

/** What a request carries so that the API server lets it in. */
export interface Authentication extends RequestOptions, TlsOptions {
  headers?: Record<string, string>;
}

/**
 * The credentials of a kubeconfig. Those that may change are asked for at every request: certificates and tokens in files are read
 * again, exec plugins and identity providers keep what they gave until it expires. Callers that ask at the same time share one
 * answer, so that a plugin runs once for all of them. Credentials that the kubeconfig itself holds are made once: as long as nothing
 * has changed, every answer is the same object.
 */
export class Credentials {
  readonly #original: KubeConfig;
  #kubeConfig: KubeConfig;
  #pending: Promise<Authentication> | undefined;
  #newest: Authentication | undefined;
  /** What never changes. */
  #lasting: Authentication | undefined;

  constructor(kubeConfig: KubeConfig) {
    this.#original = kubeConfig;
    this.#kubeConfig = kubeConfig;
  }

  async get(signal: AbortSignal): Promise<Authentication> {
    signal.throwIfAborted();
    if (this.#lasting !== undefined) return this.#lasting;
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
    const authentication: Authentication = {};
    const file = tokenFileOf(this.#kubeConfig);
    // client-node would read a token file only once a minute, by a clock that may be set back. The file is in memory, as all that
    // Kubernetes projects into a pod is, so that a thread to wait for it would cost more than it takes to read it.
    const token = file === undefined ? undefined : readFileSync(file, "utf8").trim();
    await this.#kubeConfig.applyToHTTPSOptions(authentication);
    if (token !== undefined) {
      authentication.headers = { ...authentication.headers, Authorization: `Bearer ${token}` };
    }
    if (isLasting(this.#kubeConfig)) this.#lasting = authentication;
    return authentication;
  }
}

function isSame(one: Authentication, other: Authentication): boolean {
  const valuesOf = ({ headers, cert }: Authentication): string =>
    JSON.stringify([headers?.["Authorization"], String(cert)]);
  return valuesOf(one) === valuesOf(other);
}

/** Whether everything is in the kubeconfig itself, and nothing in a file or with a plugin that may give something else next time. */
function isLasting(kubeConfig: KubeConfig): boolean {
  const { exec, authProvider, certFile, keyFile } = kubeConfig.getCurrentUser() ?? {};
  const elsewhere = [exec, authProvider, certFile, keyFile, kubeConfig.getCurrentCluster()?.caFile];
  return elsewhere.every((one) => one == null || one === "");
}

/** The token file of a pod's service account. */
function tokenFileOf(kubeConfig: KubeConfig): string | undefined {
  const provider = kubeConfig.getCurrentUser()?.authProvider as
    | { config?: { tokenFile?: string } }
    | undefined;
  return provider?.config?.tokenFile;
}
