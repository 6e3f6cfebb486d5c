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
  /** Where its endpoints come from: the pods that its selector matches, what somebody wrote, or another DNS name. */
  readonly backedBy: "pods" | "hand-made-endpoints" | "external-name";
  /** Why there is no ready endpoint and what to do, where more is known than that there is none. */
  readonly problem?: string | undefined;
  /** The URL in place of `http://<name>.<namespace>.svc:<port>` on a machine without a cluster. */
  readonly localURL?: string | undefined;
}

/** `type` and `selector` as a Service has them in its spec. */
export function backedBy(spec: {
  readonly type?: string | undefined;
  readonly selector?: Readonly<Record<string, string>> | undefined;
}): ServiceView["backedBy"] {
  if (spec.type === "ExternalName") return "external-name";
  return Object.keys(spec.selector ?? {}).length > 0 ? "pods" : "hand-made-endpoints";
}
