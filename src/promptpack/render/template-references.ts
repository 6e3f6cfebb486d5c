/** What a template refers to, through its fragments. */
import type { WorkBudget } from "../patterns/work-budget.ts";
import { type ParsedTemplate, parseTemplate, type Placeholder } from "./template.ts";
import { fragmentNameOf, MAX_FRAGMENT_DEPTH } from "./render-templates.ts";

/** To follow a placeholder. */
const PLACEHOLDER_STEPS = 100;

const TOO_MANY =
  "the templates of the pack refer too often to fragments with many placeholders; split the pack";

export interface TemplateReferences {
  /** The placeholders that mean no fragment: they are variables, declared or not. */
  variables: Placeholder[];
  fragments: ReadonlySet<string>;
  /** What keeps the template from being rendered, such as a circle `a → b → a`. */
  problems: string[];
}

/** What the templates of a whole pack share: each of them may refer to the same large fragments. */
export class SharedTemplates {
  readonly #budget: WorkBudget;
  readonly #parsed = new Map<string, ParsedTemplate>();

  constructor(budget: WorkBudget) {
    this.#budget = budget;
  }

  /** Each text is parsed once. */
  parse(text: string): ParsedTemplate {
    const parsed = this.#parsed.get(text) ?? parseTemplate(text);
    this.#parsed.set(text, parsed);
    return parsed;
  }

  /** False when nothing is left of the budget. */
  mayFollow({ parts }: ParsedTemplate): boolean {
    return this.#budget.take(parts.length * PLACEHOLDER_STEPS);
  }
}

export function templateReferences(
  template: string,
  fragments: Readonly<Record<string, string>>,
  isVariable: (name: string) => boolean,
  shared?: SharedTemplates,
): TemplateReferences {
  const variables = new Map<string, Placeholder>();
  const seen = new Set<string>();
  const problems: string[] = [];
  visit(template, []);
  return { variables: [...variables.values()], fragments: seen, problems };

  function visit(text: string, chain: readonly string[]): void {
    const parsed = shared?.parse(text) ?? parseTemplate(text);
    if (shared?.mayFollow(parsed) === false) {
      if (problems.at(-1) !== TOO_MANY) problems.push(TOO_MANY);
      return;
    }
    for (const part of parsed.parts) {
      if (part.type === "placeholder") visitPlaceholder(part, chain);
    }
  }

  function visitPlaceholder(placeholder: Placeholder, chain: readonly string[]): void {
    const fragment = isVariable(placeholder.name) ? undefined : fragmentNameOf(placeholder);
    if (fragment === undefined) {
      variables.set(placeholder.written, placeholder);
    } else if (!Object.hasOwn(fragments, fragment)) {
      if (placeholder.name === "fragments" && placeholder.path.length > 0) {
        problems.push(`{{${placeholder.written}}} names a fragment that the pack does not have`);
      } else variables.set(placeholder.written, placeholder);
    } else if (chain.includes(fragment)) {
      const cycle = [...chain.slice(chain.indexOf(fragment)), fragment].join(" → ");
      problems.push(`fragments hold each other: ${cycle}`);
    } else if (!seen.has(fragment)) {
      seen.add(fragment);
      if (chain.length >= MAX_FRAGMENT_DEPTH) {
        problems.push(
          `fragments are nested more than ${MAX_FRAGMENT_DEPTH} deep, down to ${fragment}`,
        );
      } else visit(fragments[fragment] ?? "", [...chain, fragment]);
    }
  }
}
