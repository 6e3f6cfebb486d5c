/** What was gathered of a Service that may offer a tool. */
export interface ServiceView {
  readonly name: string;
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly ports: readonly {
    readonly name?: string | undefined;
    readonly port: number;
    readonly appProtocol?: string | undefined;
  }[];
  readonly readyEndpoints: boolean;
  /** Why there is no ready endpoint and what to do, where more is known than that there is none. */
  readonly problem?: string | undefined;
  /** The URL in place of `http://<name>.<namespace>.svc:<port>` on a machine without a cluster. */
  readonly localURL?: string | undefined;
}
