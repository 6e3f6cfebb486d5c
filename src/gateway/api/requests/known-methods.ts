interface Registered {
  readonly method: string;
  readonly path: string;
}

/** What each path of an API may be asked by. */
export class KnownMethods {
  readonly #paths = new Map<string, { pattern: RegExp; methods: string[] }>();

  constructor(routes: readonly Registered[]) {
    for (const { method, path } of routes) {
      if (method === "ALL") continue;
      const known = this.#paths.get(path) ?? { pattern: patternOf(path), methods: [] };
      if (!known.methods.includes(method)) known.methods.push(method);
      this.#paths.set(path, known);
    }
  }

  /** Empty when there is no such path. */
  of(path: string): readonly string[] {
    const found = [...this.#paths.values()].filter(({ pattern }) => pattern.test(path));
    const methods = new Set(found.flatMap(({ methods }) => methods));
    return methods.has("GET") ? [...methods, "HEAD"] : [...methods];
  }
}

/** `:name` in a path stands for anything but a slash. */
function patternOf(path: string): RegExp {
  const parts = path
    .split("/")
    .map((part) => (part.startsWith(":") ? "[^/]+" : RegExp.escape(part)));
  return new RegExp(`^${parts.join("/")}$`);
}
