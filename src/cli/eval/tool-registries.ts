/** Finds out which tools the registries of the manifests have, once. */
import type { ToolRegistryReference } from "../../control/agent-runtime/references.ts";
import { LocalToolRegistries } from "../../local/tool-registries.ts";
import { objectKey, urlsToProbe, type LocalWorld } from "../../local/world.ts";
import { MACHINE_ADDRESSES } from "../../network/address-verdict.ts";
import { ToolProbes } from "../../probes/tool-probes.ts";
import type { Clock } from "../../time/clock.ts";
import { Deadline } from "../../time/deadline.ts";
import { Wake } from "../../time/wake.ts";
import { ToolListReader } from "../../tool-servers/lists/tool-list-reader.ts";

/** So long servers have to say which tools they have. */
const LISTS_TIMEOUT_MS = 10_000;

export interface DecidedRegistries {
  readonly toolRegistries: ReadonlyMap<string, Extract<ToolRegistryReference, { found: true }>>;
}

export interface RegistryOptions {
  readonly clock: Clock;
  readonly random: () => number;
  readonly signal: AbortSignal;
  /** Only this one is read, since each has servers that would be asked. */
  readonly registry: { readonly namespace: string; readonly name: string } | undefined;
}

export async function decideRegistries(
  world: LocalWorld,
  { clock, random, signal, registry }: RegistryOptions,
): Promise<DecidedRegistries> {
  const wanted = world.toolRegistries.filter(
    ({ metadata }) => registry !== undefined && objectKey(metadata) === objectKey(registry),
  );
  if (wanted.length === 0) return { toolRegistries: new Map() };
  const narrowed: LocalWorld = { ...world, toolRegistries: wanted };
  const changed = new Wake();
  const lists = new ToolListReader({
    clock,
    random,
    onChange: () => changed.raise(),
    onError: () => {},
  });
  const registries = new LocalToolRegistries({
    clock,
    random,
    lists,
    warn: () => {},
    onEvent: () => {},
  });
  const probes = new ToolProbes({ clock, allowedAddresses: MACHINE_ADDRESSES, onChange: () => {} });
  using deadline = new Deadline({ ms: LISTS_TIMEOUT_MS, clock, signal });
  const reading = new AbortController();
  const readingEnded = lists.run(reading.signal);
  try {
    const probed = await probes.results("eval", urlsToProbe(narrowed), deadline.signal);
    for (;;) {
      signal.throwIfAborted();
      const toolRegistries = registries.decide(narrowed, probed, clock.now());
      const isComplete = [...toolRegistries.values()].every(({ status }) =>
        status.conditions?.some(
          ({ type, status }) => type === "AllToolsReady" && status === "True",
        ),
      );
      if (isComplete || deadline.signal.aborted) return { toolRegistries };
      await changed.wait(deadline.signal);
    }
  } finally {
    reading.abort();
    await readingEnded;
  }
}
