import type { ServerFrame } from "../../../src/protocol/frames.ts";

/** What is wrong with the frames of one session, from its first one on. */
export function problemsOfFrames(frames: readonly ServerFrame[]): string[] {
  const problems: string[] = [];
  const calls = new Set<string>();
  const results = new Map<string, number>();
  let seq = 0;
  let said = "";
  for (const frame of frames) {
    if (!("seq" in frame) || frame.type === "connected") continue;
    seq += 1;
    if (frame.seq !== seq) problems.push(`the seq of a frame is ${frame.seq} and not ${seq}`);
    switch (frame.type) {
      case "chunk":
        said += frame.content;
        break;
      case "tool_call":
        if (calls.has(frame.tool_call.id)) problems.push(`two calls are ${frame.tool_call.id}`);
        calls.add(frame.tool_call.id);
        break;
      case "tool_result": {
        const { id } = frame.tool_result;
        if (!calls.has(id)) problems.push(`a result names the unknown call ${id}`);
        results.set(id, (results.get(id) ?? 0) + 1);
        break;
      }
      case "approval_request":
        break;
      case "done":
        if (frame.content !== said) {
          const texts = `${JSON.stringify(frame.content)}, the chunks ${JSON.stringify(said)}`;
          problems.push(`done has ${texts}`);
        }
        said = "";
        break;
      case "error":
        said = "";
        break;
    }
  }
  for (const id of calls) {
    if (results.get(id) !== 1) problems.push(`call ${id} has ${results.get(id) ?? 0} results`);
  }
  return problems;
}
