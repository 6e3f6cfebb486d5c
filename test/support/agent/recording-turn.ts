import type { AgentConfig } from "../../../src/agent-config/agent-config.ts";
import type {
  EarlierRun,
  StepNote,
  Turn,
  TurnEvent,
} from "../../../src/agent/contracts/handler.ts";
import type { TokenBudget } from "../../../src/agent/contracts/token-budget.ts";
import type { HistoryMessage } from "../../../src/agent/sessions/history-message.ts";

export interface RecordingTurnOptions {
  content?: string;
  sessionId?: string;
  history?: HistoryMessage[];
  budget?: TokenBudget;
  signal?: AbortSignal;
  earlier?: EarlierRun;
  /** Runs when the handler waits for what it handed over to be stored. */
  onStored?: () => void | Promise<void>;
  onRecord?: (message: HistoryMessage) => void;
  /** Runs before an event counts as taken. */
  onEvent?: (event: TurnEvent) => void | Promise<void>;
}

/** A turn that keeps what its handler does with it. */
export class RecordingTurn implements Turn {
  static #count = 0;
  readonly id = `turn-${++RecordingTurn.#count}`;
  readonly sessionId: string;
  readonly content: string;
  readonly metadata = undefined;
  readonly promptVersion = undefined;
  readonly config: AgentConfig;
  readonly budget: TokenBudget | undefined;
  readonly signal: AbortSignal;
  readonly events: TurnEvent[] = [];
  readonly recorded: HistoryMessage[] = [];
  readonly notes: (StepNote | undefined)[] = [];
  readonly earlier: EarlierRun | undefined;
  /** The state that its last frame would tell. */
  state: string | undefined;
  readonly #options: RecordingTurnOptions;

  constructor(config: AgentConfig, options: RecordingTurnOptions = {}) {
    this.config = config;
    this.#options = options;
    this.budget = options.budget;
    this.content = options.content ?? "hello";
    this.earlier = options.earlier;
    this.sessionId = options.sessionId ?? "session-1";
    this.signal = options.signal ?? new AbortController().signal;
  }

  history(): Promise<HistoryMessage[]> {
    return Promise.resolve(this.#options.history ?? []);
  }

  async emit(event: TurnEvent): Promise<void> {
    this.events.push(event);
    await this.#options.onEvent?.(event);
  }

  record(message: HistoryMessage, note?: StepNote): void {
    this.recorded.push(message);
    this.#options.onRecord?.(message);
    this.notes.push(note);
  }

  enterState(state: string): void {
    this.state = state;
  }

  async stored(): Promise<void> {
    this.signal.throwIfAborted();
    await this.#options.onStored?.();
  }

  /** What was said. */
  get text(): string {
    return this.events.map((event) => (event.type === "chunk" ? event.content : "")).join("");
  }

  /** What the session remembers after this turn. */
  get historyAfter(): HistoryMessage[] {
    const question = { role: "user" as const, turnId: this.id, content: this.content };
    return [...(this.#options.history ?? []), question, ...this.recorded];
  }
}
