import type { KeyObject } from "node:crypto";
import { readFile, stat } from "node:fs/promises";
import { agentConfigSchema, type AgentConfig } from "../../agent-config/agent-config.ts";
import { isSignedBy } from "../../agent-config/config-signature.ts";
import { MAX_CONFIG_BYTES } from "../contracts/limits.ts";

export type ConfigReading =
  | { status: "unchanged" }
  | { status: "read"; config: AgentConfig }
  /** The problem is a sentence for people that contains no values of the config. */
  | { status: "unusable"; problem: string };

/** The file with the agent config. Each reading tells what is new since the previous one. */
export class ConfigFile {
  readonly #path: string;
  readonly #publicKey: KeyObject | undefined;
  #lastText: string | undefined;
  #lastProblem: string | undefined;

  /** With `publicKey`, a config without the signature of that key is unusable. */
  constructor(path: string, publicKey?: KeyObject) {
    this.#path = path;
    this.#publicKey = publicKey;
  }

  async read(): Promise<ConfigReading> {
    let text: string;
    try {
      if ((await stat(this.#path)).size > MAX_CONFIG_BYTES) {
        return this.#unusable(`${this.#path} is over ${MAX_CONFIG_BYTES} bytes`);
      }
      text = await readFile(this.#path, "utf8");
    } catch (error) {
      return this.#unusable(describeReadError(this.#path, error));
    }
    if (text === this.#lastText) {
      return this.#lastProblem === undefined
        ? { status: "unchanged" }
        : { status: "unusable", problem: this.#lastProblem };
    }
    this.#lastText = text;
    this.#lastProblem = undefined;
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch {
      return this.#invalid("is not valid JSON");
    }
    const parsed = agentConfigSchema.safeParse(value);
    if (parsed.success) {
      const isForged = this.#publicKey !== undefined && !isSignedBy(parsed.data, this.#publicKey);
      if (isForged) return this.#invalid("was not written by the operator: its signature is wrong");
      return { status: "read", config: parsed.data };
    }
    const problems = parsed.error.issues.map(
      ({ path, message }) => `${path.join(".") || "config"}: ${message}`,
    );
    return this.#invalid(`is not an agent config: ${problems.slice(0, 5).join("; ")}`);
  }

  #invalid(problem: string): ConfigReading {
    this.#lastProblem = `${this.#path} ${problem}`;
    return { status: "unusable", problem: this.#lastProblem };
  }

  // `#lastText` stays: the next reading compares with the last text that could be read.
  #unusable(problem: string): ConfigReading {
    return { status: "unusable", problem };
  }
}

function describeReadError(path: string, error: unknown): string {
  const { code } = error as NodeJS.ErrnoException;
  if (code === "ENOENT" || code === "ENOTDIR") return `${path} does not exist`;
  return `${path} could not be read (${code ?? "unknown error"})`;
}
