/** Reads what an Event of the cluster tells of a resource of ours. Anybody who may write Events in a namespace has written it. */
import { API_VERSION, OMNIA_KINDS, type OmniaKind } from "../../api/group.ts";
import { hideInText } from "../../control/hide-values.ts";
import type { ResourceName } from "../../gateway/resource-source.ts";
import type { EventView } from "../../http-api/resource-views.ts";
import type { KubernetesObject, ResourceType } from "../../kube/client/object.ts";

export const CORE_EVENTS: ResourceType = {
  group: "",
  version: "v1",
  kind: "Event",
  plural: "events",
  namespaced: true,
};

/** Selects the Events about the three kinds. It has the form that the API takes in a query. */
export const EVENTS_OF_OURS = `involvedObject.apiVersion=${API_VERSION}`;

const MAX_REASON_LENGTH = 128;
const MAX_MESSAGE_LENGTH = 1_024;

/** The fields that are read. */
export interface EventObject extends KubernetesObject {
  readonly involvedObject?:
    | {
        readonly kind?: string | undefined;
        readonly namespace?: string | undefined;
        readonly name?: string | undefined;
        readonly uid?: string | undefined;
      }
    | undefined;
  readonly type?: string | undefined;
  readonly reason?: string | undefined;
  readonly message?: string | undefined;
  readonly count?: number | undefined;
  readonly firstTimestamp?: string | null | undefined;
  readonly lastTimestamp?: string | null | undefined;
  readonly eventTime?: string | null | undefined;
  readonly series?:
    | { readonly count?: number | undefined; readonly lastObservedTime?: string | undefined }
    | null
    | undefined;
}

export interface ReadEvent {
  readonly about: ResourceName;
  /** Another object may have had the name before. */
  readonly uid: string | undefined;
  readonly event: EventView;
}

/** `undefined`: it tells nothing of a resource of ours. */
export function readEvent(object: EventObject): ReadEvent | undefined {
  const { metadata, involvedObject, series } = object;
  const { kind, name = "", namespace = metadata.namespace, uid } = involvedObject ?? {};
  // Who may write in one namespace says nothing of another one.
  if (!isOurs(kind) || name === "" || namespace === undefined) return undefined;
  if (namespace !== metadata.namespace) return undefined;
  const at = firstTime(
    series?.lastObservedTime,
    object.lastTimestamp,
    object.eventTime,
    object.firstTimestamp,
    metadata.creationTimestamp,
  );
  if (at === undefined) return undefined;
  const count = series?.count ?? object.count ?? 1;
  return {
    about: { kind, namespace, name },
    uid,
    event: {
      at,
      count: Number.isSafeInteger(count) && count > 0 ? count : 1,
      type: object.type === "Warning" ? "Warning" : "Normal",
      reason: (object.reason ?? "").slice(0, MAX_REASON_LENGTH),
      message: hideInText((object.message ?? "").slice(0, MAX_MESSAGE_LENGTH)),
    },
  };
}

function isOurs(kind: string | undefined): kind is OmniaKind {
  return OMNIA_KINDS.some((one) => one === kind);
}

function firstTime(...times: readonly (string | null | undefined)[]): string | undefined {
  for (const time of times) {
    const ms = Date.parse(time ?? "");
    if (!Number.isNaN(ms)) return new Date(ms).toISOString();
  }
  return undefined;
}
