/** Arguments as models write them where their server should have taken out the object: in a block of code, or with marks of their language. */

/** The JSON that was meant, if there is a plain meaning. It may be malformed all the same. */
export function mendedArguments(text: string): string {
  const object = WITHIN_MARKS.exec(text)?.[1] ?? text;
  return object.replaceAll(JSON_STRING, (string) =>
    string.replaceAll(CONTROL, (character) => JSON.stringify(character).slice(1, -1)),
  );
}

/** `<|im_end|>`, `</tool_call>` and the fence of a block of code say nothing of the arguments. */
const WITHIN_MARKS = /^(?:\s|```\w*|<[^<>{}\n]{1,40}>)*(\{[^]*\})(?:\s|```|<[^<>{}\n]{1,40}>)*$/;
const JSON_STRING = /"(?:[^"\\]|\\[^])*"/g;
// oxlint-disable-next-line no-control-regex -- these are what is looked for
const CONTROL = /[\0-\x1f]/g;
