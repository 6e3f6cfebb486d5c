import type { ConfigSigner } from "../../agent-config/config-signature.ts";
import type { Clock } from "../../time/clock.ts";
import type { AgentChild } from "./children.ts";
import { LastFiles } from "./files/agent-files.ts";
import { WriteRefusals } from "./write-refusals.ts";

/** What this process knows of one agent and the cluster does not say, or does not say yet. */
export interface AgentMemory {
  readonly uid: string;
  readonly files: LastFiles;
  readonly refusals: WriteRefusals;
  /** The objects that were created last and when, until the caches hold them. */
  created: { readonly children: readonly AgentChild[]; readonly atMs: number } | undefined;
  /** When the files were changed, until the pods have been told. */
  filesChangedAtMs: number | undefined;
  /** By kind, the key of the object whose owner was told that it refuses this agent. */
  readonly refusalsTold: Map<string, string>;
}

export class AgentMemories {
  readonly #clock: Pick<Clock, "monotonic">;
  readonly #signer: ConfigSigner;
  readonly #memories = new Map<string, AgentMemory>();

  constructor(clock: Pick<Clock, "monotonic">, signer: ConfigSigner) {
    this.#clock = clock;
    this.#signer = signer;
  }

  /** An agent that was deleted and made again under its name, and so has another uid, begins with an empty memory. */
  of(key: string, uid: string): AgentMemory {
    const known = this.#memories.get(key);
    if (known?.uid === uid) return known;
    const memory: AgentMemory = {
      uid,
      files: new LastFiles(this.#signer, uid),
      refusals: new WriteRefusals(this.#clock),
      created: undefined,
      filesChangedAtMs: undefined,
      refusalsTold: new Map(),
    };
    this.#memories.set(key, memory);
    return memory;
  }

  forget(key: string): void {
    this.#memories.delete(key);
  }
}
