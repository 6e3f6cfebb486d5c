import type { ValidatorConfig } from "../../../promptpack/validators/validator-config.ts";
import { TurnError } from "../../contracts/turn-error.ts";

/** Ends a turn whose message or answer breaks a rule of the pack. It has nothing of the text. */
export function validationRefusal(
  { name, message }: Pick<ValidatorConfig, "name" | "message">,
  refused: "answer" | "message",
): TurnError {
  const text = message ?? `The ${refused} was withheld: it breaks the rule "${name}" of the agent.`;
  return new TurnError("VALIDATION_FAILED", text, { details: { validator: name } });
}
