import { describe, expect, it } from "vitest";
import { MAX_COMMAND_WORDS, splitCommand } from "./split-command.ts";

function wordsOf(text: string): readonly string[] | string {
  const split = splitCommand(text);
  return split.ok ? split.words : split.problem;
}

describe("splitCommand", () => {
  it.for<[string, readonly string[]]>([
    ["python app.py", ["python", "app.py"]],
    ["  python \t app.py\n", ["python", "app.py"]],
    [`python 'my app.py' "a b"`, ["python", "my app.py", "a b"]],
    [`a"b c"'d e'f`, ["ab cd ef"]],
    [String.raw`a\ b "c\"d" 'e\'`, ["a b", 'c"d', "e\\"]],
    [String.raw`"\n\$\\"`, [String.raw`\n$\ `.trimEnd()]],
    [`run "" ''`, ["run", "", ""]],
    ["run $HOME *.py `id` #no", ["run", "$HOME", "*.py", "`id`", "#no"]],
    ["one \\\n two", ["one", "two"]],
    ["one 'a;b' a\\|b", ["one", "a;b", "a|b"]],
    ['["python", "my app.py", ""]', ["python", "my app.py", ""]],
    ["[ -f x ]", ["[", "-f", "x", "]"]],
    ["env KEY=1 python app.py", ["env", "KEY=1", "python", "app.py"]],
    ['["KEY=1"]', ["KEY=1"]],
    ["run 'ünï ✓'", ["run", "ünï ✓"]],
  ])("splits %j as a shell does", ([text, words]) => {
    expect(wordsOf(text)).toEqual(words);
  });

  it.for<[string, string]>([
    ["", "it names no program"],
    ["   ", "it names no program"],
    ['""', "it names no program"],
    ["[]", "it names no program"],
    ['["a", 1]', "it is a JSON list that holds something other than words"],
    ["run 'open", "a quote (') is not closed"],
    ['run "open\\"', 'a quote (") is not closed'],
    ["run \\", "it ends in a backslash"],
    ["a && b", 'no shell runs, so "&&" has no meaning; put it in quotes, or run a script'],
    ["a > b", 'no shell runs, so ">" has no meaning; put it in quotes, or run a script'],
    [
      "KEY=secret-1 python app.py",
      'no shell runs, so "KEY=" sets no variable; set it in spec.env, or in the image',
    ],
    ["a\0b", "it holds a null character"],
    ["a ".repeat(MAX_COMMAND_WORDS + 1), "it has more than 1024 words"],
  ])("refuses %j", ([text, problem]) => {
    expect(wordsOf(text)).toBe(problem);
  });

  it("takes no longer for a line that never ends well", () => {
    expect(wordsOf(`run "${"\\a".repeat(20_000)}`)).toBe('a quote (") is not closed');
    expect(wordsOf("'".repeat(20_001))).toBe("a quote (') is not closed");
  });
});
