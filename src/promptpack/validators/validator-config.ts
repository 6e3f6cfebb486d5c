/** Validators in the one form that an agent runs, whatever spelling the pack has. */
import { z } from "zod";

export const PERSONAL_DATA = ["email", "phone", "credit_card", "iban"] as const;
export type PersonalData = (typeof PERSONAL_DATA)[number];

export const MAX_VALIDATORS = 32;
export const MAX_BANNED_WORDS = 1_000;
export const MAX_BANNED_WORD_CHARACTERS = 200;
export const MAX_VALIDATOR_RETRIES = 5;
const MAX_FIELDS = 100;
const MAX_MESSAGE_CHARACTERS = 1_000;

const common = {
  /** The type as the pack has it, which clients and metrics are told. */
  name: z.string(),
  /** Whether a text that breaks the rule is refused. Otherwise the client is warned. */
  fails: z.boolean(),
  /** For the client, in place of the usual words. */
  message: z.string().max(MAX_MESSAGE_CHARACTERS).optional(),
  /** How often the model is asked again in place of a refusal. */
  retry: z.int().min(0).max(MAX_VALIDATOR_RETRIES),
  /** Whether the messages of users are checked, and whether the answers are. */
  input: z.boolean(),
  output: z.boolean(),
};

const count = () => z.int().min(0);

export const validatorConfigSchema = z.discriminatedUnion("type", [
  z.strictObject({
    ...common,
    type: z.literal("banned_words"),
    words: z.array(z.string().min(1).max(MAX_BANNED_WORD_CHARACTERS)).max(MAX_BANNED_WORDS),
    /** Whether a word counts within a longer one, too. */
    withinWords: z.boolean(),
  }),
  z.strictObject({
    ...common,
    type: z.literal("length"),
    minCharacters: count().optional(),
    maxCharacters: count().optional(),
  }),
  z.strictObject({ ...common, type: z.literal("max_sentences"), max: count() }),
  z.strictObject({ ...common, type: z.literal("regex_match"), pattern: z.string() }),
  z.strictObject({
    ...common,
    type: z.literal("required_fields"),
    fields: z.array(z.string().min(1)).max(MAX_FIELDS),
  }),
  z.strictObject({
    ...common,
    type: z.literal("json_schema"),
    schema: z.record(z.string(), z.unknown()),
  }),
  z.strictObject({
    ...common,
    type: z.literal("pii_detection"),
    kinds: z.array(z.enum(PERSONAL_DATA)).min(1),
  }),
]);

export type ValidatorConfig = z.output<typeof validatorConfigSchema>;
export type ValidatorOf<Type extends ValidatorConfig["type"]> = Extract<
  ValidatorConfig,
  { type: Type }
>;
