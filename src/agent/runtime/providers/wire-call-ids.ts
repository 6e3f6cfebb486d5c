/**
 * The ids of calls in one request. Each provider takes other ids, and none takes one twice. So the ids of a session are made to
 * fit, and stay different from each other. A session has calls of several providers when its agent's provider was changed.
 */
import type { ProviderName } from "../../../agent-config/agent-config.ts";

interface IdRule {
  readonly longest: number;
  /** Finds the characters that are refused. */
  readonly refused?: RegExp;
}

const RULES: Readonly<Record<ProviderName, IdRule>> = {
  openai: { longest: 40 },
  anthropic: { longest: 64, refused: /[^\w-]/g },
  google: { longest: 256 },
};

export class WireCallIds {
  readonly #rule: IdRule;
  readonly #used = new Set<string>();

  constructor(provider: ProviderName) {
    this.#rule = RULES[provider];
  }

  /** The id of the next call. `serverId`: the server that is asked gave it this id, and may want it back as it is. */
  next(id: string, serverId?: string): string {
    const wireId = serverId !== undefined && this.#takes(serverId) ? serverId : this.#fit(id);
    this.#used.add(wireId);
    return wireId;
  }

  #takes(serverId: string): boolean {
    if (serverId === "" || this.#used.has(serverId)) return false;
    return this.#rule.refused === undefined || serverId.search(this.#rule.refused) === -1;
  }

  #fit(id: string): string {
    const { longest, refused } = this.#rule;
    const allowed = (refused === undefined ? id : id.replaceAll(refused, "_")) || "call";
    for (let count = 1; ; count += 1) {
      const suffix = count === 1 ? "" : `-${count}`;
      const fitting = `${allowed.slice(0, longest - suffix.length).toWellFormed()}${suffix}`;
      if (!this.#used.has(fitting)) return fitting;
    }
  }
}
