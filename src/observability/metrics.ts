/** Collects metrics, and writes them in the text format of Prometheus. */
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from "@prometheus-io/client";
import { PlainHistogram } from "./plain-histogram.ts";

// The default of 10 ms wakes an idle process a hundred times a second.
const EVENT_LOOP_RESOLUTION_MS = 100;

export type LabelValues<Label extends string> = Readonly<Record<Label, string>>;
type LabelArgument<Label extends string> = [Label] extends [never]
  ? []
  : [labels: LabelValues<Label>];

export interface CounterMetric<Label extends string = never> {
  add(value: number, ...labels: LabelArgument<Label>): void;
}
export interface HistogramMetric<Label extends string = never> {
  observe(value: number, ...labels: LabelArgument<Label>): void;
}
export interface GaugeMetric<Label extends string = never> {
  set(value: number, ...labels: LabelArgument<Label>): void;
}

interface Description<Label extends string> {
  name: string;
  help: string;
  labels?: readonly Label[];
}

export interface Metrics {
  counter<Label extends string = never>(description: Description<Label>): CounterMetric<Label>;
  gauge<Label extends string = never>(description: Description<Label>): GaugeMetric<Label>;
  /** A gauge whose value is asked for when the metrics are read. */
  observedGauge(description: Description<never>, read: () => number): void;
  /** The same for a gauge with labels. `read` gives all its values with their labels. */
  observedGauges<Label extends string>(
    description: Description<Label> & { labels: readonly Label[] },
    read: () => Iterable<readonly [labels: LabelValues<Label>, value: number]>,
  ): void;
  histogram<Label extends string = never>(
    description: Description<Label> & { buckets: readonly number[] },
  ): HistogramMetric<Label>;
  /** Drops what was counted with a value of this label that is neither empty nor one of these. */
  keepOnly(label: string, values: readonly string[]): void;
  /** Sets labels that every metric carries, including the metrics of the process. */
  setCommonLabels(labels: Readonly<Record<string, string>>): void;
  readonly contentType: string;
  text(): Promise<string>;
}

/** With `processMetrics`, the metrics of the process itself are included (CPU, memory, event loop, garbage collection). */
export function createMetrics(options: { processMetrics: boolean }): Metrics {
  const registry = new Registry();
  const registers = [registry];
  const labelled: CountedLabels[] = [];
  if (options.processMetrics) {
    collectDefaultMetrics({
      register: registry,
      eventLoopMonitoringPrecision: EVENT_LOOP_RESOLUTION_MS,
    });
  }
  return {
    counter: ({ name, help, labels }) => {
      return labels === undefined
        ? plainCounter({ name, help }, registry)
        : labelledCounter({ name, help, labels }, registry, labelled);
    },
    gauge: ({ name, help, labels }) => {
      const gauge = new Gauge<string>({ name, help, labelNames: [...(labels ?? [])], registers });
      return {
        set: (value: number, values?: Record<string, string>) =>
          values === undefined ? gauge.set(value) : gauge.set(values, value),
      };
    },
    observedGauge: ({ name, help }, read) => {
      const gauge = new Gauge({
        name,
        help,
        registers: [],
        collect() {
          this.set(read());
        },
      });
      registry.registerMetric(gauge);
    },
    observedGauges: ({ name, help, labels }, read) => {
      const gauge = new Gauge<string>({
        name,
        help,
        labelNames: [...labels],
        registers: [],
        collect() {
          this.reset();
          for (const [values, value] of read()) this.set(values, value);
        },
      });
      registry.registerMetric(gauge);
    },
    histogram: ({ name, help, labels, buckets }) => {
      if (labels === undefined) {
        const plain = new PlainHistogram({ name, help, buckets });
        registry.registerMetric(plain);
        return { observe: (value: number) => plain.count(value) };
      }
      const histogram = new Histogram<string>({
        name,
        help,
        labelNames: [...labels],
        buckets: [...buckets],
        registers,
      });
      const counted = new CountedLabels(labels, (values) => histogram.remove(...values));
      labelled.push(counted);
      return {
        observe(value: number, values: LabelValues<string> = {}) {
          counted.add(values);
          histogram.observe({ ...values }, value);
        },
      };
    },
    keepOnly(label, values) {
      const kept = new Set([...values, ""]);
      for (const series of labelled) series.keepOnly(label, kept);
    },
    setCommonLabels: (labels) => registry.setDefaultLabels(labels),
    contentType: registry.contentType,
    text: () => registry.metrics(),
  };
}

/** Remembers with which labels a metric counted, so that some can be dropped. */
class CountedLabels {
  readonly #labels: readonly string[];
  readonly #remove: (values: string[]) => void;
  readonly #flush: () => void;
  readonly #counted = new Map<string, string[]>();

  /** `remove` gets the values in the order of the labels; `flush` counts what is yet to be counted. */
  constructor(
    labels: readonly string[],
    remove: (values: string[]) => void,
    flush: () => void = () => {},
  ) {
    this.#labels = labels;
    this.#remove = remove;
    this.#flush = flush;
  }

  add(values: LabelValues<string>): void {
    const inOrder = this.#labels.map((label) => values[label] ?? "");
    this.#counted.set(inOrder.join("\0"), inOrder);
  }

  keepOnly(label: string, kept: ReadonlySet<string>): void {
    const at = this.#labels.indexOf(label);
    if (at < 0) return;
    this.#flush();
    for (const [key, values] of this.#counted) {
      if (kept.has(values[at] ?? "")) continue;
      this.#counted.delete(key);
      this.#remove(values);
    }
  }
}

/** A counter that is brought up to date when it is read: those without labels count what happens most. */
function plainCounter(
  { name, help }: Description<never>,
  registry: Registry,
): { add(value: number): void } {
  let fresh = 0;
  const counter = new Counter({
    name,
    help,
    registers: [],
    collect() {
      this.inc(fresh);
      fresh = 0;
    },
  });
  registry.registerMetric(counter);
  return { add: (value) => void (fresh += value) };
}

/** Adds up what comes with the same labels in a row, which is most of it, and counts it when others come or it is read. */
function labelledCounter(
  { name, help, labels }: Description<string> & { labels: readonly string[] },
  registry: Registry,
  labelled: CountedLabels[],
): { add(value: number, values?: LabelValues<string>): void } {
  let fresh = 0;
  /** The labels that `fresh` came with. Undefined when all has been counted. */
  let last: LabelValues<string> | undefined;
  const counter = new Counter<string>({
    name,
    help,
    labelNames: [...labels],
    registers: [],
    collect: flush,
  });
  const counted = new CountedLabels(labels, (values) => counter.remove(...values), flush);
  labelled.push(counted);
  function flush(): void {
    if (last !== undefined) {
      counted.add(last);
      counter.inc({ ...last }, fresh);
    }
    last = undefined;
    fresh = 0;
  }
  registry.registerMetric(counter);
  return {
    add(value, values = {}) {
      if (values !== last && !isSame(values, last, labels)) {
        flush();
        last = values;
      }
      fresh += value;
    },
  };
}

function isSame(
  values: LabelValues<string>,
  last: LabelValues<string> | undefined,
  labels: readonly string[],
): boolean {
  if (last === undefined) return false;
  for (const label of labels) if (values[label] !== last[label]) return false;
  return true;
}
