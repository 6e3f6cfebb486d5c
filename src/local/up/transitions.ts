/** Says what has changed from one view to the next, in one line each, for the log of `omnia up`. */
import { complaintLine, problemLine, type AgentView, type UpView } from "./view.ts";

export function upTransitions(before: UpView | undefined, after: UpView): string[] {
  return [
    ...newIn(before?.problems.map(problemLine), after.problems.map(problemLine)),
    ...solvedFiles(before, after),
    ...agentLines(before, after),
    ...newIn(before?.complaints.map(complaintLine), after.complaints.map(complaintLine)),
  ];
}

function newIn(before: readonly string[] = [], after: readonly string[]): string[] {
  const known = new Set(before);
  return after.filter((line) => !known.has(line));
}

function solvedFiles(before: UpView | undefined, after: UpView): string[] {
  const bad = new Set(after.problems.map(({ file }) => file));
  const wasBad = new Set(before?.problems.map(({ file }) => file));
  return [...wasBad]
    .filter((file) => !bad.has(file))
    .map((file) => `${file}: no problems any more`);
}

function agentLines(before: UpView | undefined, after: UpView): string[] {
  const known = new Map(before?.agents.map((agent) => [nameOf(agent), agent]));
  const lines = after.agents.flatMap((agent) => {
    const earlier = known.get(nameOf(agent));
    known.delete(nameOf(agent));
    const line = agentLine(agent);
    return earlier !== undefined && agentLine(earlier) === line ? [] : [line];
  });
  const gone = [...known.keys()].map((name) => `AgentRuntime ${name}: removed`);
  return after.ending ? [] : [...lines, ...gone];
}

function nameOf({ namespace, name }: AgentView): string {
  return `${namespace}/${name}`;
}

function agentLine(agent: AgentView): string {
  return `AgentRuntime ${nameOf(agent)}: ${agent.phase}, ${agent.ready} ready`;
}
