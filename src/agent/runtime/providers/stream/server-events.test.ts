import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ServerEvents } from "./server-events.ts";

/** The data of the events, with the name before it where there is one. */
function read(...pieces: string[]): string[] {
  const events = new ServerEvents();
  const all = [...pieces.flatMap((piece) => events.push(piece)), ...events.end()];
  return all.map(({ name, data }) => (name === undefined ? data : `${name} ${data}`));
}

describe("a stream of events", () => {
  it.each<[string, string, string[]]>([
    ["ends each event at a blank line", "data: a\n\ndata: b\n\n", ["a", "b"]],
    [
      "may end its lines as other systems do",
      "data: a\r\n\r\ndata: b\r\rdata: c\n\n",
      ["a", "b", "c"],
    ],
    ["may leave out the blank behind the colon", "data:a\n\ndata:  b\n\n", ["a", " b"]],
    ["joins the lines of one event", 'data: {"a":1,\ndata: "b":2}\n\n', ['{"a":1,\n"b":2}']],
    ["gives events their names", "event: x\ndata: a\n\ndata: b\n\n", ["x a", "b"]],
    ["has comments and fields of no use", ": hi\n\nid: 7\nretry: 1\n\ndata: a\n\n", ["a"]],
    ["leaves out an event without data", "event: ping\n\ndata: a\n\n", ["a"]],
    ["has data that is empty", "data:\n\ndata\n\n", ["", ""]],
    ["counts its last event without a blank line", "data: a\n\ndata: b\n", ["a", "b"]],
    ["counts its last event without the end of its line", "data: a\n\ndata: b", ["a", "b"]],
    [
      "may have no blank lines between whole objects",
      'data: {"a":1}\ndata: {}\ndata: [DONE]',
      ['{"a":1}', "{}", "[DONE]"],
    ],
    [
      "may have no blank lines between named events",
      "event: x\ndata: a\nevent: y\ndata: b\n\n",
      ["x a", "y b"],
    ],
    [
      "may have JSON without the name of a field",
      'data: a\n\n{"error":{}}\n',
      ["a", '{"error":{}}'],
    ],
    ["may have NUL bytes anywhere", "\0data: a\0b\n\0\n", ["ab"]],
    ["may begin with a byte order mark", "\uFEFFdata: a\n\n", ["a"]],
    ["may write the names of fields otherwise", " Data : a\n\n", ["a"]],
    ["has nothing in what is no field", "hello\nworld: x\n\n", []],
  ])("%s", (_what, text, wanted) => {
    expect(read(text)).toEqual(wanted);
  });

  it("has the same events wherever its text is split", () => {
    const line = fc.constantFrom(
      "data: a",
      "data:",
      'data: {"x":1}',
      "event: e",
      ": c",
      '{"y":2}',
      "",
      "",
    );
    const end = fc.constantFrom("\n", "\r\n", "\r");
    const stream = fc.array(fc.tuple(line, end)).map((lines) => lines.flat().join(""));
    fc.assert(
      fc.property(stream, fc.array(fc.nat(60)), (text, cuts) => {
        const at = [0, ...cuts.filter((cut) => cut < text.length), text.length].sort(
          (a, b) => a - b,
        );
        const pieces = at.slice(1).map((cut, index) => text.slice(at[index], cut));
        expect(read(...pieces)).toEqual(read(text));
      }),
    );
  });

  it.each([
    ["data: a", true],
    [": a", true],
    ["id: 7", true],
    ["Internal Server Error", false],
    ["error: no", false],
    ["{}", false],
  ])("knows of %j whether it is one: %s", (text, isStream) => {
    const events = new ServerEvents();
    events.push(`${text}\n`);
    expect(events.sawField).toBe(isStream);
  });

  it("takes an event of many lines in time that grows with its length", () => {
    const events = new ServerEvents();
    for (let count = 0; count < 2_000; count += 1) events.push("data: x\n".repeat(100));
    expect(events.end()[0]?.data).toHaveLength(2 * 200_000 - 1);
  });

  it("takes a line that comes in many pieces in time that grows with its length", () => {
    const events = new ServerEvents();
    for (let count = 0; count < 200_000; count += 1) events.push("0123456789");
    events.push("\n");
    expect(events.end()).toEqual([]);
  });
});
