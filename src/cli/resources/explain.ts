/** `omnia explain`: tells why something is not ready, and the one thing to do about it. */
import { DEFAULT_NAMESPACE } from "../../api/fields/names.ts";
import { AGENT_RUNTIME, PROMPT_PACK } from "../../api/group.ts";
import {
  explain as explainStatus,
  type ExplainOptions,
  type Explanation,
} from "../../control/explain/explain.ts";
import { EXIT_CODES, type ExitCode } from "../terminal/cli-error.ts";
import { budgetOf, budgetText, isSpent } from "./budget.ts";
import { packVersionLines } from "./pack-versions.ts";
import { findResource, readResourceName } from "./find-resource.ts";
import { commandLine } from "../terminal/program-name.ts";
import { readResources, shownSource } from "./read-resources.ts";
import {
  isAuthenticated,
  readResourceViews,
  shownName,
  type ConditionView,
  type ResourceView,
} from "./view.ts";
import type { ResourceFlags } from "./resources.ts";
import { readUsedToday } from "./used-today.ts";
import type { Streams } from "../terminal/streams.ts";
import { styled, type Line } from "../../observability/terminal/line.ts";
import { printJSON, printLine } from "../../observability/terminal/writer.ts";

export async function explain(
  name: string,
  flags: ResourceFlags,
  streams: Streams,
): Promise<ExitCode> {
  const { stdout } = streams;
  const wanted = readResourceName(name, flags.namespace);
  const read = await readResources(flags, streams);
  const { source, items } = read;
  const resource = findResource(readResourceViews(items), wanted);
  const usedToday = (await readUsedToday([resource], flags, streams)).get(shownName(resource));
  if (flags.output === "json") {
    const { kind, metadata, status } = resource;
    printJSON(stdout, {
      source,
      kind,
      namespace: metadata.namespace,
      name: metadata.name,
      ...explainStatus(resource, { place: source.kind }),
      ...(kind === AGENT_RUNTIME
        ? { authenticated: isAuthenticated(resource), tokensToday: usedToday }
        : {}),
      status,
    });
  } else {
    printLine(stdout, styled("dim", shownSource(read)));
    printLine(stdout, "");
    for (const line of explanationLines(resource, source.kind, usedToday)) {
      printLine(stdout, line);
    }
  }
  return EXIT_CODES.ok;
}

/** `usedToday`: tokens of an agent since midnight UTC, where it told them. */
export function explanationLines(
  resource: ResourceView,
  place: ExplainOptions["place"],
  usedToday?: number,
): Line[] {
  const { kind, metadata, status } = resource;
  const { namespace, name } = metadata;
  const explanation = explainStatus(resource, { place });
  const broken = status.conditions.filter((condition) => condition.status !== "True");
  const isWell = broken.length === 0 && status.conditions.length > 0;
  const lines: Line[] = [styled(isWell ? "green" : "yellow", `${explanation.summary}.`)];
  if (!isWell) {
    lines.push("", `Why:   ${sentence(explanation.cause)}`, `To do: ${sentence(explanation.cure)}`);
    if (explanation.command !== undefined) lines.push(`       ${explanation.command}`);
    const others = otherProblems(broken, explanation);
    if (others.length > 0) lines.push("", "After that:");
    for (const { type, message } of others) {
      lines.push(`  ${type}: ${sentence(message)}`);
    }
  }
  if (kind === PROMPT_PACK) return [...lines, ...packVersionLines(resource)];
  if (kind !== AGENT_RUNTIME) return lines;

  const serves = status.conditions.some(
    ({ type, status }) => type === "Available" && status === "True",
  );
  if (serves) {
    lines.push("");
    if (status.endpoint !== undefined) {
      lines.push(`Endpoint: ${status.endpoint}`);
    }
    const inNamespace = namespace === DEFAULT_NAMESPACE ? "" : ` -n ${namespace}`;
    lines.push(`Talk to it: ${commandLine(`chat ${name}${inNamespace}`)}`);
  }
  const budget = budgetOf(resource);
  if (budget !== undefined) {
    const text = `Budget: ${budgetText(budget, usedToday)}`;
    lines.push("", isSpent(budget, usedToday) ? styled("yellow", text) : text);
  }
  if (!isAuthenticated(resource)) {
    lines.push(
      "",
      "Authentication is off: whoever reaches the agent may talk to it. spec.facade.auth turns it on.",
    );
  }
  return lines;
}

/** The other conditions that do not hold, if they say something new. That an agent waits for its references is nothing new. */
function otherProblems(
  broken: readonly ConditionView[],
  { cause }: Explanation,
): readonly ConditionView[] {
  const said = new Set([cause, ""]);
  return broken.filter(({ reason, message }) => {
    const isNew = !said.has(message) && reason !== "WaitingForReferences";
    said.add(message);
    return isNew;
  });
}

function sentence(text: string): string {
  return /[.!?…]$/.test(text) ? text : `${text}.`;
}
