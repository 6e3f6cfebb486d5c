import { backedBy, type ServiceView } from "../../control/tool-registry/service-view.ts";
import { keyOf } from "../../kube/client/object.ts";
import type { EndpointSliceObject, ServiceObject } from "../cluster/kubernetes-objects.ts";
import type { OperatorCaches } from "../cluster/caches.ts";
import { SERVICE_NAME_LABEL } from "../cluster/labels.ts";

type Labels = Readonly<Record<string, string>>;

/** Knows the Services that may be tools, and whether something is ready behind them. */
export class ToolServices {
  readonly #caches: Pick<OperatorCaches, "toolServices" | "endpointSlices">;
  readonly #views = new Map<string, readonly ServiceView[]>();

  /** `onChange` is called with the namespace and with the labels of a Service, as they were and as they are. */
  constructor(
    caches: Pick<OperatorCaches, "toolServices" | "endpointSlices">,
    onChange: (namespace: string, labels: readonly Labels[]) => void,
  ) {
    this.#caches = caches;
    const changed = (services: readonly (ServiceObject | undefined)[]): void => {
      const known = services.filter((service) => service !== undefined);
      const namespace = known[0]?.metadata.namespace;
      if (namespace === undefined) return;
      this.#views.delete(namespace);
      const labels = known.map(({ metadata }) => metadata.labels ?? {});
      onChange(namespace, labels);
    };
    caches.toolServices.subscribe(({ before, after }) => changed([before, after]));
    caches.endpointSlices.subscribe(({ before, after }) => {
      if (isReady(before) === isReady(after) && serviceKey(before) === serviceKey(after)) return;
      // The slices of all Services are watched, and most of them belong to no Service that may be a tool.
      for (const key of new Set([serviceKey(before), serviceKey(after)])) {
        if (key !== undefined) changed([caches.toolServices.get(key)]);
      }
    });
  }

  /** Returns the same array while none of them changes. */
  of(namespace: string): readonly ServiceView[] {
    let views = this.#views.get(namespace);
    if (views === undefined) {
      const services = this.#caches.toolServices.indexed("namespace", namespace);
      views = services.map((service) => this.#view(service));
      this.#views.set(namespace, views);
    }
    return views;
  }

  #view(service: ServiceObject): ServiceView {
    const { metadata, spec } = service;
    const slices = this.#caches.endpointSlices.indexed("service", keyOf(metadata));
    const isExternal = spec.type === "ExternalName";
    const problem = isExternal
      ? EXTERNAL_NAME
      : slices.length === 0
        ? noSlices(service)
        : undefined;
    return {
      name: metadata.name,
      namespace: metadata.namespace ?? "",
      labels: metadata.labels ?? {},
      annotations: metadata.annotations ?? {},
      ports: (spec.ports ?? [])
        .filter(({ protocol = "TCP" }) => protocol === "TCP")
        .map(({ name, port, appProtocol }) => ({
          port,
          name: name === "" ? undefined : name,
          appProtocol,
        })),
      readyEndpoints: !isExternal && slices.some(isReady),
      backedBy: backedBy(spec),
      problem,
    };
  }
}

const EXTERNAL_NAME =
  "a Service of type ExternalName has none; write the address into the entry as its url instead of a selector";

function noSlices({ spec }: ServiceObject): string | undefined {
  return Object.keys(spec.selector ?? {}).length > 0
    ? undefined
    : "it has no selector; give it one, or make an EndpointSlice for it";
}

/** By the convention of the API, an endpoint that says nothing about it is ready. */
function isReady(slice: EndpointSliceObject | undefined): boolean {
  return slice?.endpoints?.some(({ conditions }) => conditions?.ready !== false) ?? false;
}

function serviceKey(slice: EndpointSliceObject | undefined): string | undefined {
  const name = slice?.metadata.labels?.[SERVICE_NAME_LABEL];
  return name === undefined ? undefined : `${slice?.metadata.namespace}/${name}`;
}
