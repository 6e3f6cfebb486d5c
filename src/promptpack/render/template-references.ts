/** What a template refers to, through its fragments. */
import { parseTemplate, type Placeholder } from "./template.ts";
import { fragmentNameOf, MAX_FRAGMENT_DEPTH } from "./render-templates.ts";

export interface TemplateReferences {
  /** The placeholders that mean no fragment: they are variables, declared or not. */
  variables: Placeholder[];
  fragments: ReadonlySet<string>;
  /** What keeps the template from being rendered, such as a circle `a → b → a`. */
  problems: string[];
}

export function templateReferences(
  template: string,
  fragments: Readonly<Record<string, string>>,
  isVariable: (name: string) => boolean,
): TemplateReferences {
  const variables = new Map<string, Placeholder>();
  const seen = new Set<string>();
  const problems: string[] = [];
  visit(template, []);
  return { variables: [...variables.values()], fragments: seen, problems };

  function visit(text: string, chain: readonly string[]): void {
    for (const part of parseTemplate(text).parts) {
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
