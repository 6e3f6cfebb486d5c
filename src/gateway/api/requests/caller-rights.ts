/** What the caller of one request may do. Each question is asked once in a request. */
import type { AgentView } from "../../../http-api/agent-views.ts";
import { CallersUnavailableError, type Action, type Caller, type Callers } from "../../caller.ts";
import { ApiProblem } from "./api-problem.ts";

export type Resource = Action["resource"];

export class CallerRights {
  readonly caller: Caller;
  readonly #callers: Callers;
  readonly #signal: AbortSignal;
  readonly #asked = new Map<string, Promise<boolean>>();

  constructor(callers: Callers, caller: Caller, signal: AbortSignal) {
    this.#callers = callers;
    this.caller = caller;
    this.#signal = signal;
  }

  may(action: Action): Promise<boolean> {
    const { verb, resource, subresource = "", namespace = "" } = action;
    const key = `${verb} ${resource}/${subresource} ${namespace}`;
    const known = this.#asked.get(key);
    if (known !== undefined) return known;
    const asked = this.#ask(action);
    this.#asked.set(key, asked);
    return asked;
  }

  /**
   * Those of the namespaces in which the caller may do it. For who has no right in the whole cluster it costs a question for each: all are
   * asked at once, which the connections to the API server bound. 100 namespaces take about a fifth of a second.
   */
  async among(
    namespaces: Iterable<string>,
    action: Omit<Action, "namespace">,
  ): Promise<ReadonlySet<string>> {
    const all = [...new Set(namespaces)];
    if (await this.may({ ...action, namespace: undefined })) return new Set(all);
    const allowed = await Promise.all(all.map((namespace) => this.may({ ...action, namespace })));
    return new Set(all.filter((_, index) => allowed[index]));
  }

  /** What the caller may do with the agents of a namespace. */
  async withAgents(namespace: string): Promise<AgentView["can"]> {
    const agents = { resource: "agentruntimes", namespace } as const;
    const [chat, sessions, deleteSession, callTool] = await Promise.all([
      this.may({ ...agents, verb: "create", subresource: "chat" }),
      this.may({ ...agents, verb: "get", subresource: "sessions" }),
      this.may({ ...agents, verb: "delete", subresource: "sessions" }),
      this.may({ ...agents, verb: "create", subresource: "toolcalls" }),
    ]);
    return { chat, sessions, deleteSession, callTool };
  }

  async #ask(action: Action): Promise<boolean> {
    try {
      return await this.#callers.may(this.caller, action, this.#signal);
    } catch (error) {
      if (!(error instanceof CallersUnavailableError)) throw error;
      throw new ApiProblem("Unavailable", "what you may do here could not be found out just now", {
        cause: error,
      });
    }
  }
}

/** Rejects with the error that names the right which the caller lacks. It is only for callers who may know that the object is there. */
export async function requireRight(rights: CallerRights, action: Action): Promise<void> {
  if (await rights.may(action)) return;
  const { verb, resource, subresource, namespace } = action;
  const what = subresource === undefined ? resource : `${resource}/${subresource}`;
  const where = namespace === undefined ? "" : ` in namespace ${namespace}`;
  const option = namespace === undefined ? "--all-namespaces" : `-n ${namespace}`;
  throw new ApiProblem("Forbidden", `you may not ${verb} ${what}${where}`, {
    cure: `kubectl auth can-i ${verb} ${resource}.omnia.altairalabs.ai${subresource === undefined ? "" : ` --subresource=${subresource}`} ${option}`,
  });
}
