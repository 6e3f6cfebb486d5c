import { WorkBudget } from "../patterns/work-budget.ts";
import { type Checking, Evaluated, type SchemaNode } from "./schema-node.ts";

/** Schemas in each other, also where one refers to itself for each level of the value. */
const MAX_DEPTH = 500;
const NODE_STEPS = 5;
const ASSERTION_STEPS = 2;
const MERGE_STEPS = 10;

export interface CheckLimits {
  /** See `WorkBudget`. */
  readonly maxSteps: number;
  /** Further problems are not told. */
  readonly maxProblems: number;
}

/** The value cannot be judged within the bounds. */
export class UnjudgedError extends Error {
  override readonly name = "UnjudgedError";
}

/** One check of a value: where it stands, what it has found so far, and how much it may still do. */
export class ValueCheck implements Checking {
  readonly #budget: WorkBudget;
  readonly #maxProblems: number;
  readonly #problems: string[] = [];
  readonly #place: (string | number)[] = [];
  #depth = 0;

  constructor({ maxSteps, maxProblems }: CheckLimits) {
    this.#budget = new WorkBudget(maxSteps);
    this.#maxProblems = maxProblems;
  }

  get budget(): WorkBudget {
    return this.#budget;
  }

  get problems(): readonly string[] {
    return this.#problems;
  }

  /** Throws an UnjudgedError when there are not so many steps left. */
  take(steps: number): void {
    if (!this.#budget.take(steps)) throw new UnjudgedError("it is too much work");
  }

  run({ assertions, collects }: SchemaNode, value: unknown, evaluated?: Evaluated): boolean {
    this.take(NODE_STEPS + ASSERTION_STEPS * assertions.length);
    if (this.#depth >= MAX_DEPTH) throw new UnjudgedError("it is nested too deeply");
    this.#depth += 1;
    const collected = collects ? new Evaluated() : evaluated;
    let isValid = true;
    for (const assertion of assertions) {
      if (!assertion(value, this, collected)) isValid = false;
    }
    if (collects && collected !== undefined) this.merge(collected, evaluated);
    this.#depth -= 1;
    return isValid;
  }

  merge(from: Evaluated, into: Evaluated | undefined): void {
    if (into === undefined) return;
    this.take(MERGE_STEPS * (1 + from.names.size + from.items.size));
    into.add(from);
  }

  /** Checks a property or an item of the value. */
  runAt(key: string | number, node: SchemaNode, value: unknown): boolean {
    this.#place.push(key);
    const isValid = this.run(node, value);
    this.#place.pop();
    return isValid;
  }

  /** What is found within is taken back when `body` answers true, or always. */
  attempt(body: () => boolean, takeBack: "always" | "when valid" = "when valid"): boolean {
    const before = this.#problems.length;
    const isValid = body();
    if (isValid || takeBack === "always") this.#problems.length = before;
    return isValid;
  }

  /** Answers false, for the assertion to answer. */
  fail(message: string): false {
    if (this.#problems.length < this.#maxProblems) {
      const pointer = this.#place
        .map((key) => `/${String(key).replaceAll("~", "~0").replaceAll("/", "~1")}`)
        .join("");
      this.#problems.push(`${pointer === "" ? "they" : pointer} ${message}`);
    }
    return false;
  }
}
