import { Histogram } from "@prometheus-io/client";

type Values = Awaited<ReturnType<Histogram<"le">["get"]>>;

/**
 * A histogram without labels, which counts by itself: the package looks for the labels of each value, which costs more than all the
 * rest of it. What it counted is given to the package when the metrics are read.
 */
export class PlainHistogram extends Histogram<"le"> {
  readonly #name: string;
  readonly #help: string;
  readonly #bounds: readonly number[];
  /** The values up to each bound and above the one before, and at last those above all bounds. */
  readonly #counts: number[];
  #sum = 0;

  /** `buckets`: the upper bounds, in ascending order. */
  constructor({ name, help, buckets }: { name: string; help: string; buckets: readonly number[] }) {
    super({ name, help, buckets: [...buckets], registers: [] });
    this.#name = name;
    this.#help = help;
    this.#bounds = buckets;
    this.#counts = Array.from({ length: buckets.length + 1 }, () => 0);
  }

  count(value: number): void {
    let at = 0;
    while (at < this.#bounds.length && !(value <= (this.#bounds[at] as number))) at++;
    this.#counts[at] = (this.#counts[at] as number) + 1;
    this.#sum += value;
  }

  override get(): Promise<Values> {
    const series = (what: string, value: number, labels: { le?: number | string } = {}) => ({
      metricName: `${this.#name}_${what}`,
      value,
      labels,
    });
    let total = 0;
    const buckets = this.#counts.map((count, at) =>
      series("bucket", (total += count), { le: this.#bounds[at] ?? "+Inf" }),
    );
    const values = [...buckets, series("sum", this.#sum), series("count", total)];
    const { collect } = this as unknown as Pick<Values, "collect">;
    return Promise.resolve({
      name: this.#name,
      help: this.#help,
      type: "histogram",
      aggregator: "sum",
      collect,
      values,
    });
  }

  /** The registry asks for this in place of `get` when it writes text. */
  getForPromString(): Promise<Values> {
    return this.get();
  }
}
