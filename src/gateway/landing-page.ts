/** The page that `GET /` shows. It tells what runs here and how to talk to it. */
import type { ResourceView } from "./gateway-source.ts";
import { DEFAULT_NAMESPACE } from "./upgrade-request.ts";

interface AgentLine {
  name: string;
  namespace: string;
  phase: string;
  ready: string;
  url: string;
  command: string;
}

export function landingText(resources: readonly ResourceView[], host: string): string {
  const agents = agentLines(resources, host);
  if (agents.length === 0) return "Omnia runs here, and has no agents yet.\n";
  const lines = agents.map(
    ({ name, namespace, phase, ready, url, command }) =>
      `${namespace}/${name}: ${phase} (${ready} ready)\n  ${url}\n  ${command}\n`,
  );
  return `Omnia runs here. Its agents:\n\n${lines.join("\n")}`;
}

export function landingPage(resources: readonly ResourceView[], host: string): string {
  const rows = agentLines(resources, host).map(
    ({ name, namespace, phase, ready, url, command }) =>
      `<tr><td>${escapeHtml(name)}</td><td>${escapeHtml(namespace)}</td><td>${escapeHtml(phase)}</td>` +
      `<td>${escapeHtml(ready)}</td><td><code>${escapeHtml(url)}</code><br><code>${escapeHtml(command)}</code></td></tr>`,
  );
  const body =
    rows.length === 0
      ? "<p>There are no agents yet.</p>"
      : `<table><thead><tr><th>Agent</th><th>Namespace</th><th>Phase</th><th>Ready</th><th>Talk to it</th></tr></thead>` +
        `<tbody>${rows.join("")}</tbody></table>`;
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Omnia</title><style>${STYLE}</style></head><body><h1>Omnia</h1>${body}</body></html>\n`;
}

const STYLE =
  "body{font:16px/1.5 system-ui,sans-serif;margin:3rem auto;max-width:60rem;padding:0 1rem}" +
  "table{border-collapse:collapse;width:100%}th,td{text-align:left;padding:.4rem .8rem .4rem 0;vertical-align:top}";

function agentLines(resources: readonly ResourceView[], host: string): AgentLine[] {
  return resources
    .filter(({ kind }) => kind === "AgentRuntime")
    .map(({ metadata: { name, namespace }, status }) => {
      const { phase = "Pending", ready = "0/0" } = status as { phase?: string; ready?: string };
      const query = new URLSearchParams({ agent: name });
      if (namespace !== DEFAULT_NAMESPACE) query.set("namespace", namespace);
      const option = namespace === DEFAULT_NAMESPACE ? "" : ` -n ${namespace}`;
      return {
        name,
        namespace,
        phase,
        ready,
        url: `ws://${host}/ws?${query.toString()}`,
        command: `omnia chat ${name}${option}`,
      };
    });
}

function escapeHtml(text: string): string {
  const entities: Record<string, string> = {
    "&": "&amp;",
    "<": "&lt;",
    ">": "&gt;",
    '"': "&quot;",
    "'": "&#39;",
  };
  return text.replace(/[&<>"']/g, (character) => entities[character] as string);
}
