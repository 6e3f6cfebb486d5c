/** Reads scripted conversations: a file of which each line is one conversation as JSON. */
import { z } from "zod";
import { formatPath, validate } from "../../api/fields/problems.ts";

export const MAX_CONVERSATIONS_BYTES = 16 * 1024 * 1024;
const MAX_CONVERSATIONS = 10_000;
const MAX_TURNS = 200;
const MAX_EXPECTATIONS = 64;
const MAX_MESSAGE_CHARACTERS = 100_000;
const MAX_VARIABLES = 200;
const MAX_PROBLEMS = 20;
/** It becomes the name of a file of a recording. */
const ID = /^[a-zA-Z0-9][a-zA-Z0-9._-]{0,99}$/;

const thresholdSchema = z.strictObject({
  operator: z.string().optional(),
  value: z.number().optional(),
});

/** A text that the answer has to contain, or an eval of this one turn. */
const expectationSchema = z.union([
  z.string().min(1),
  z.strictObject({
    id: z.string().min(1).optional(),
    type: z.string().min(1),
    params: z.record(z.string(), z.unknown()).optional(),
    threshold: thresholdSchema.optional(),
    message: z.string().optional(),
  }),
]);

const turnSchema = z.strictObject({
  user: z.string().min(1).max(MAX_MESSAGE_CHARACTERS),
  expect: z.union([expectationSchema, z.array(expectationSchema).max(MAX_EXPECTATIONS)]).optional(),
});

const conversationSchema = z.strictObject({
  id: z
    .string()
    .regex(ID, "must be letters, digits, dots, dashes and underscores, 100 at most")
    .optional(),
  description: z.string().optional(),
  variables: z
    .record(z.string(), z.union([z.string(), z.number(), z.boolean()]))
    .refine(
      (map) => Object.keys(map).length <= MAX_VARIABLES,
      `has more than ${MAX_VARIABLES} variables`,
    )
    .optional(),
  turns: z.array(turnSchema).min(1).max(MAX_TURNS),
});

export type Expectation = z.output<typeof expectationSchema>;

export interface ScriptedTurn {
  readonly user: string;
  readonly expect: readonly Expectation[];
}

export interface ScriptedConversation {
  /** That of the line, else `line-3` after its number. */
  readonly id: string;
  /** Values for the variables of the prompt. They win over those of the agent. */
  readonly variables: Readonly<Record<string, string>>;
  readonly turns: readonly ScriptedTurn[];
}

export type ReadConversations =
  | { readonly ok: true; readonly conversations: readonly ScriptedConversation[] }
  /** Each problem begins with its line. */
  | { readonly ok: false; readonly problems: readonly string[] };

/** Empty lines are passed over. */
export function readConversations(text: string): ReadConversations {
  if (Buffer.byteLength(text) > MAX_CONVERSATIONS_BYTES) {
    const limit = `${MAX_CONVERSATIONS_BYTES / 1024 / 1024} MiB`;
    return { ok: false, problems: [`it is larger than ${limit}; split it`] };
  }
  const conversations: ScriptedConversation[] = [];
  const problems: string[] = [];
  const lineOfId = new Map<string, number>();
  const lines = text.replace(/^\uFEFF/, "").split("\n");
  for (const [index, line] of lines.entries()) {
    if (line.trim() === "") continue;
    const number = index + 1;
    const read = readLine(line, number);
    if ("problems" in read) {
      problems.push(...read.problems.map((problem) => `line ${number}: ${problem}`));
      continue;
    }
    // Some file systems take two names that differ in case for one.
    const key = read.id.toLowerCase();
    const earlier = lineOfId.get(key);
    if (earlier !== undefined) {
      problems.push(`line ${number}: the id "${read.id}" is taken by line ${earlier}`);
      continue;
    }
    lineOfId.set(key, number);
    conversations.push(read);
  }
  if (problems.length > 0) return { ok: false, problems: shortened(problems) };
  if (conversations.length === 0) return { ok: false, problems: ["it has no conversation"] };
  if (conversations.length > MAX_CONVERSATIONS) {
    return {
      ok: false,
      problems: [`it has more than ${MAX_CONVERSATIONS} conversations; split it`],
    };
  }
  return { ok: true, conversations };
}

function readLine(
  line: string,
  number: number,
): ScriptedConversation | { readonly problems: readonly string[] } {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch (error) {
    return { problems: [`it is not JSON: ${(error as Error).message}`] };
  }
  const validated = validate(conversationSchema, value);
  if (!validated.ok) {
    return {
      problems: validated.problems.map(({ path, message }) =>
        path.length === 0 ? message : `${formatPath(path)}: ${message}`,
      ),
    };
  }
  const { id = `line-${number}`, variables = {}, turns } = validated.value;
  return {
    id,
    variables: Object.fromEntries(
      Object.entries(variables).map(([name, given]) => [name, String(given)]),
    ),
    turns: turns.map(({ user, expect = [] }) => ({
      user,
      expect: Array.isArray(expect) ? expect : [expect],
    })),
  };
}

function shortened(problems: readonly string[]): string[] {
  const more = problems.length - MAX_PROBLEMS;
  const shown = problems.slice(0, MAX_PROBLEMS);
  return more > 0 ? [...shown, `and ${more} more`] : shown;
}
