/**
 * Splits a stream of server-sent events. It is more lenient than the standard: a line of JSON without the name of a field is
 * an event, so is each of several whole objects whose events no blank line parts, and the last event counts without one.
 */
export interface ServerEvent {
  name: string | undefined;
  data: string;
}

function isJSON(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

export class ServerEvents {
  /** The pieces of a line whose end has not come. */
  #pieces: string[] = [];
  #endedInReturn = false;
  #name: string | undefined;
  /** The lines of data of the event that has not come to its end. */
  #data: string[] = [];
  #sawField = false;

  /** Whether anything was a field or a comment of an event stream. */
  get sawField(): boolean {
    return this.#sawField;
  }

  /** The events that this piece of text completes. */
  push(text: string): ServerEvent[] {
    const events: ServerEvent[] = [];
    let rest = text.includes("\0") ? text.replaceAll("\0", "") : text;
    if (rest === "") return events;
    if (this.#endedInReturn && rest.startsWith("\n")) rest = rest.slice(1);
    this.#endedInReturn = rest.endsWith("\r");
    const lines = rest.includes("\r") ? rest.split(/\r\n|\r|\n/) : rest.split("\n");
    const unended = lines.pop() as string;
    for (const line of lines) {
      if (this.#pieces.length === 0) {
        this.#takeLine(line, events);
      } else {
        const whole = this.#pieces.join("") + line;
        this.#pieces = [];
        this.#takeLine(whole, events);
      }
    }
    if (unended !== "") this.#pieces.push(unended);
    return events;
  }

  /** Whether the event that has not come to its end may have all its data. */
  get mayBeWhole(): boolean {
    return /[}\]]\s*$/.test(this.#pieces.at(-1) ?? this.#data.at(-1) ?? "");
  }

  /** The event that has not come to its end, if it has all its data. */
  takeWhole(): ServerEvent[] {
    const line = this.#pieces.join("").replace(/^\s*data:/, "");
    const data = [...this.#data, line].join("\n").trim();
    return data === "[DONE]" || isJSON(data) ? this.end() : [];
  }

  /** The event that the stream ended in. Its data may be cut off. */
  end(): ServerEvent[] {
    const events: ServerEvent[] = [];
    const line = this.#pieces.join("");
    this.#pieces = [];
    if (line !== "") this.#takeLine(line, events);
    this.#complete(events);
    return events;
  }

  #takeLine(line: string, events: ServerEvent[]): void {
    if (line === "") return this.#complete(events);
    if (line.startsWith("data:")) {
      return this.#takeData(line.slice(line[5] === " " ? 6 : 5), events);
    }
    this.#takeRareLine(line, events);
  }

  #takeData(data: string, events: ServerEvent[]): void {
    this.#sawField = true;
    // No JSON goes on behind the end of an object with another object, or with the mark of the end.
    if (this.#data.at(-1)?.endsWith("}") === true && /^[{[]/.test(data)) this.#complete(events);
    this.#data.push(data);
  }

  #takeRareLine(line: string, events: ServerEvent[]): void {
    const [, name = "", value = ""] =
      /^[\uFEFF\uFFFD\s]*([^:]*?)\s*(?::[ ]?([^]*))?$/.exec(line) ?? [];
    switch (name.toLowerCase()) {
      case "data":
        return this.#takeData(value, events);
      case "event":
        this.#sawField = true;
        // The name of an event stands before its data.
        if (this.#data.length > 0) this.#complete(events);
        this.#name = value.trim();
        return;
      case "id":
      case "retry":
        this.#sawField = true;
        return;
      case "":
        if (line.includes(":")) this.#sawField = true;
        return;
      default:
        if (!/^\s*[{[]/.test(line)) return;
        this.#complete(events);
        events.push({ name: undefined, data: line });
    }
  }

  #complete(events: ServerEvent[]): void {
    if (this.#data.length > 0) events.push({ name: this.#name, data: this.#data.join("\n") });
    this.#data = [];
    this.#name = undefined;
  }
}
