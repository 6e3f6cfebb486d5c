/** What happened in the survival test, in numbers. */
import type { SurvivalReplica } from "./replica.ts";
import type { SurvivalTalker } from "./talker.ts";
import { isInDoubt } from "./turn.ts";

export function figuresOf(
  talkers: readonly SurvivalTalker[],
  replicas: readonly SurvivalReplica[],
  counts: Readonly<Record<string, number>>,
): string {
  const talks = talkers.flatMap((talker) => talker.talks);
  const sum = (count: (talker: SurvivalTalker) => number): number =>
    talkers.reduce((total, talker) => total + count(talker), 0);
  return Object.entries({
    turns: talks.length,
    done: talks.filter(({ end }) => end.type === "done").length,
    "in doubt": talks.filter(({ turn, end }) => isInDoubt(turn, end)).length,
    "taken over": shownCounts(replicas.flatMap(({ recoveries }) => recoveries)),
    frames: sum(({ frames }) => frames.length),
    connections: sum(({ connections }) => connections),
    resumed: sum(({ resumes }) => resumes),
    ...counts,
    "errors seen by clients": shownCounts(talkers.flatMap(({ errorCodes }) => errorCodes)),
    "errors logged": replicas.reduce((total, { errors }) => total + errors.length, 0),
  })
    .map(([name, figure]) => `${name} ${figure}`)
    .join(", ");
}

function shownCounts(names: readonly string[]): string {
  const counts = Object.entries(Object.groupBy(names, (name) => name));
  const shown = counts.map(([name, found]) => `${found?.length ?? 0} ${name}`);
  return shown.length === 0 ? "0" : `${names.length} (${shown.join(", ")})`;
}
