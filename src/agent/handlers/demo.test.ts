import { describe, expect, it } from "vitest";
import { ManualClock } from "../../../test/support/builders/manual-clock.ts";
import type { HistoryMessage } from "../sessions/history-message.ts";
import { createDemoHandler } from "./demo.ts";
import { echoHandler } from "./echo.ts";
import type { EarlierRun, Turn, TurnEvent } from "../contracts/handler.ts";

class RecordedTurn implements Turn {
  readonly promptVersion = undefined;
  readonly id = "turn-1";
  readonly sessionId = "session-1";
  readonly metadata = undefined;
  readonly content: string;
  readonly signal: AbortSignal;
  readonly events: TurnEvent[] = [];
  readonly messages: HistoryMessage[] = [];
  readonly earlier: EarlierRun | undefined;

  constructor(content: string, signal = new AbortController().signal, earlier?: EarlierRun) {
    this.content = content;
    this.signal = signal;
    this.earlier = earlier;
  }

  get config(): never {
    throw new Error("not looked at");
  }

  history(): Promise<never> {
    throw new Error("not loaded");
  }

  async emit(event: TurnEvent): Promise<void> {
    this.events.push(event);
  }

  record(message: HistoryMessage): void {
    this.messages.push(message);
  }

  enterState(): void {}

  async stored(): Promise<void> {}

  get types(): string[] {
    return this.events
      .map((event) => event.type)
      .filter((type, index, types) => type !== types[index - 1]);
  }

  get answer(): string {
    return this.events.map((event) => (event.type === "chunk" ? event.content : "")).join("");
  }
}

async function ask(content: string): Promise<RecordedTurn> {
  const turn = new RecordedTurn(content);
  await createDemoHandler({ clock: new ManualClock(), pauses: false }).run(turn);
  return turn;
}

describe("demo", () => {
  it.each(["hello", "Hi!", "HELP", "can you help me?", "Good  morning"])(
    "tells what it can do on %j",
    async (content) => {
      const turn = await ask(content);
      expect(turn.types).toEqual(["chunk"]);
      expect(turn.answer).toContain("Here is what I can do");
    },
  );

  it.each(["I forgot my password", "Hi, my PASSWORD?"])(
    "looks the user up on %j",
    async (content) => {
      const turn = await ask(content);
      expect(turn.types).toEqual(["tool-call", "tool-result", "chunk"]);
      expect(turn.events[0]).toMatchObject({ name: "lookup-user" });
      expect(turn.answer).toContain("To reset your password");
    },
  );

  it.each([
    ["weather", "Berlin"],
    ["What is the weather in New York today?", "New York"],
  ])("asks the weather tool on %j", async (content, location) => {
    const turn = await ask(content);
    expect(turn.types).toEqual(["tool-call", "tool-result", "chunk"]);
    expect(turn.events[0]).toMatchObject({ name: "weather", arguments: { location } });
    expect(turn.events[1]).toMatchObject({ result: { location } });
    expect(turn.answer).toContain(location);
  });

  it.each(["this", "shield", "passwordless", "whether", "", "helpful"])(
    "takes no part of a word for a word: %j",
    async (content) => {
      const turn = await ask(content);
      expect(turn.types).toEqual(["chunk"]);
      expect(turn.answer).toContain("Try one of these");
    },
  );

  it("pairs the tool's result with its call, for clients and in the history", async () => {
    const turn = await ask("weather");
    const [call, result] = turn.events;
    expect(result).toMatchObject({ id: (call as { id: string }).id });
    expect(turn.messages).toMatchObject([
      { role: "assistant", toolCalls: [{ name: "weather" }] },
      {
        role: "tool",
        toolCallId: (call as { id: string }).id,
        result: { condition: "partly cloudy" },
      },
    ]);
  });

  it("takes a person's time, unless its pauses are off", async () => {
    const clock = new ManualClock();
    const turn = new RecordedTurn("hello");
    const run = createDemoHandler({ clock, pauses: true }).run(turn);
    await clock.advance(300);
    expect(turn.events).toEqual([]);
    await clock.advance(1_000);
    const heard = turn.events.length;
    expect(heard).toBeGreaterThan(3);
    await clock.advance(1_000);
    expect(turn.events.length).toBeGreaterThan(heard);
    await clock.advance(30_000);
    await expect(run).resolves.toEqual({ finishReason: "stop" });
  });

  it("says its first words well within two seconds, also after a call of a tool", async () => {
    const clock = new ManualClock();
    const turn = new RecordedTurn("What is the weather like in Berlin?");
    const run = createDemoHandler({ clock, pauses: true }).run(turn);
    await clock.advance(1_200);
    expect(turn.types).toEqual(["tool-call", "tool-result", "chunk"]);
    await clock.advance(30_000);
    await run;
  });

  it("stops in the middle of a pause when the turn is stopped", async () => {
    const clock = new ManualClock();
    const controller = new AbortController();
    const turn = new RecordedTurn("hello", controller.signal);
    const run = createDemoHandler({ clock, pauses: true }).run(turn);
    await clock.advance(1_000);
    controller.abort(new Error("stopped"));
    await expect(run).rejects.toThrow("stopped");
    expect(clock.pendingTimers).toBe(0);
  });
});

describe("echo", () => {
  it("answers with the message's own content", async () => {
    await expect(echoHandler.run(new RecordedTurn("  as it is\n"))).resolves.toEqual({
      content: "  as it is\n",
      finishReason: "stop",
    });
  });
});
