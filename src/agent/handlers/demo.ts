import type { Clock } from "../../time/clock.ts";
import { demoScript } from "./demo-script.ts";
import type { Handler } from "../contracts/handler.ts";

/**
 * The pace of the demo: a moment to think, a tool that takes a while, and words about as fast as a person reads them. Whoever opens the console for the
 * first time is to have first words within two seconds, also of an answer that calls a tool.
 */
const THINKING_MS = 400;
const TOOL_MS = 500;
const READING_RESULT_MS = 200;
const WORD_MS = 40;
const END_OF_SENTENCE_MS = 160;

/** Streams canned answers, for people who want to see an agent before they have a key. */
export function createDemoHandler(options: { clock: Clock; pauses: boolean }): Handler {
  return {
    hasHarmlessCalls: true,
    async run(turn) {
      const pause = (ms: number): Promise<void> =>
        options.pauses ? options.clock.sleep(ms, turn.signal) : Promise.resolve();
      const script = demoScript(turn.content);
      const said = turn.earlier?.said ?? "";
      const earlierCall = turn.earlier?.steps[0]?.calls[0];
      await pause(THINKING_MS);
      if (script.tool !== undefined && earlierCall?.outcome === undefined) {
        const { name, result } = script.tool;
        const id = `${name}-${turn.id}`;
        const call = { id, name, arguments: script.tool.arguments };
        if (earlierCall === undefined) {
          turn.record({ role: "assistant", turnId: turn.id, content: "", toolCalls: [call] });
        }
        if (earlierCall?.isStarted !== true) await turn.emit({ type: "tool-call", ...call });
        await pause(TOOL_MS);
        await turn.emit({ type: "tool-result", id, result });
        turn.record({ role: "tool", turnId: turn.id, toolCallId: id, toolName: name, result });
        await pause(READING_RESULT_MS);
      }
      for (const word of wordsOf(script.answer.slice(said.length))) {
        await turn.emit({ type: "chunk", content: word });
        await pause(/[.!?:]\s*$/.test(word) ? END_OF_SENTENCE_MS : WORD_MS);
      }
      return { finishReason: "stop" };
    },
  };
}

/** The words of the text, each with the space that follows it, so that they can be joined to the text again. */
function wordsOf(text: string): string[] {
  return text.match(/\S+\s*/g) ?? [];
}
