/** Shows the frames of a chat, either as an answer for people or as they come. */
import { costText } from "../../protocol/cost-text.ts";
import type { FinishReason, ServerFrame, Usage } from "../../protocol/frames.ts";
import type { OutputFormat, Streams } from "../terminal/streams.ts";
import { styled } from "../../observability/terminal/line.ts";
import { printJSONText, printLine, printText } from "../../observability/terminal/writer.ts";

/** The arguments and results of tools are cut to this many characters. */
const TOOL_TEXT_LENGTH = 160;

export interface ChatPrinter {
  /** Shows a frame that came, and its text. `frame` is `undefined` when others began its turn or its type is unknown. */
  frame(frame: ServerFrame | undefined, text: string): void;
  /** Tells people something that is not part of the answer. */
  note(text: string): void;
  failure(text: string): void;
}

export interface PrinterOptions {
  /** Whether a person talks at a terminal, who sees what the agent does and what an answer costs. */
  readonly interactive: boolean;
}

export function chatPrinter(
  format: OutputFormat,
  streams: Streams,
  options: PrinterOptions,
): ChatPrinter {
  return format === "json" ? new FramePrinter(streams) : new AnswerPrinter(streams, options);
}

class FramePrinter implements ChatPrinter {
  readonly #streams: Streams;

  constructor(streams: Streams) {
    this.#streams = streams;
  }

  frame(frame: ServerFrame | undefined, text: string): void {
    printJSONText(this.#streams.stdout, text);
    if (frame?.type === "error") this.failure(frame.error.message);
  }

  note(text: string): void {
    printLine(this.#streams.stderr, text);
  }

  failure(text: string): void {
    printLine(this.#streams.stderr, `omnia: ${text}`);
  }
}

const FINISH_NOTES: Readonly<Record<FinishReason, string | undefined>> = {
  stop: undefined,
  length: "The answer ends here because it reached the model's limit.",
  tool_limit: "The answer ends here because the limit of tool calls was reached.",
  content_filter: "The answer ends here because the provider's content filter withheld the rest.",
  cancelled: "Cancelled.",
  awaiting_approval: undefined,
};

class AnswerPrinter implements ChatPrinter {
  readonly #streams: Streams;
  readonly #interactive: boolean;
  /** The part of the running turn's answer that was printed. */
  #printed = "";
  #atLineStart = true;
  #sessionId: string | undefined;
  #hasAnswered = false;

  constructor(streams: Streams, { interactive }: PrinterOptions) {
    this.#streams = streams;
    this.#interactive = interactive;
  }

  frame(frame: ServerFrame | undefined): void {
    switch (frame?.type) {
      case "chunk":
        this.#print(frame.content);
        break;
      case "tool_call":
        this.#tool(`→ ${frame.tool_call.name} ${JSON.stringify(frame.tool_call.arguments)}`);
        break;
      case "tool_result": {
        const { result, error } = frame.tool_result;
        this.#tool(error === undefined ? `← ${JSON.stringify(result) ?? "nothing"}` : `✗ ${error}`);
        break;
      }
      case "approval_request": {
        // A chat at a terminal asks about each of them.
        if (this.#interactive) break;
        const { name, arguments: toolArguments } = frame.approval;
        this.note(`The agent asks whether it may call ${name} ${JSON.stringify(toolArguments)}`);
        break;
      }
      case "done":
        this.#hasAnswered = true;
        this.#finish(frame.content);
        if (FINISH_NOTES[frame.finish_reason] !== undefined)
          this.note(FINISH_NOTES[frame.finish_reason] as string);
        for (const { message } of frame.warnings ?? []) this.note(message);
        this.#usage(frame.usage);
        break;
      case "error":
        this.#endLine();
        this.#printed = "";
        this.failure(frame.error.message);
        break;
      case "connected":
        if (this.#hasAnswered && this.#sessionId !== frame.session_id) {
          this.note(
            "The session had ended: this is a new one, which knows nothing of what was said before.",
          );
        }
        this.#sessionId = frame.session_id;
        break;
      case undefined:
        break;
    }
  }

  note(text: string): void {
    this.#endLine();
    printLine(this.#streams.stderr, styled("dim", text));
  }

  failure(text: string): void {
    this.#endLine();
    printLine(this.#streams.stderr, [styled("red", "omnia:"), ` ${text}`]);
  }

  /** Prints the rest of the answer, or all of it when the printed part is not its beginning. */
  #finish(content: string): void {
    if (content.startsWith(this.#printed)) {
      this.#print(content.slice(this.#printed.length));
    } else {
      this.note("Some of the answer was missed; here it is whole:");
      this.#print(content);
    }
    this.#endLine();
    this.#printed = "";
  }

  #print(text: string): void {
    if (text === "") return;
    // A joiner at the beginning of a chunk belongs to the character at the end of the one before.
    printText(this.#streams.stdout, text, this.#printed.slice(-2));
    this.#printed += text;
    this.#atLineStart = text.endsWith("\n");
  }

  #tool(text: string): void {
    if (!this.#interactive) return;
    this.#endLine();
    const shown = text.length > TOOL_TEXT_LENGTH ? `${text.slice(0, TOOL_TEXT_LENGTH)}…` : text;
    printLine(this.#streams.stdout, styled("dim", shown));
  }

  #usage(usage: Usage | undefined): void {
    if (!this.#interactive || usage?.cost === undefined) return;
    const { input_tokens, output_tokens, cost } = usage;
    this.note(`${input_tokens} + ${output_tokens} tokens · ${costText(cost)}`);
  }

  #endLine(): void {
    if (this.#atLineStart) return;
    printLine(this.#streams.stdout);
    this.#atLineStart = true;
  }
}
