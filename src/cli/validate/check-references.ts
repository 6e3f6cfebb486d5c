/**
 * Checks what the resources of some files say about each other. A reference to an object that is not among the files is only
 * noted, because the object may be in the cluster.
 */
import { readRuntimeSettings } from "../../agent-config/runtime-settings.ts";
import { runtimeSpecOf, toolRegistryNameOf, type RuntimeSpec } from "../../api/agent-runtime.ts";
import { apiKeyProblem, headerValueProblem } from "../../agent-config/credential.ts";
import { secretKeys } from "../../api/fields/core-objects.ts";
import type { ManifestResource } from "../../api/manifest/manifest.ts";
import { resolvePrompt, type ResolvedPrompt } from "../../promptpack/render/resolve-prompt.ts";
import { providerAPI } from "../../agent-config/provider-api.ts";
import { scalerOf } from "../../control/agent-runtime/autoscaling-ready.ts";
import { toolCredential } from "../../control/agent-runtime/tool-credential.ts";
import { isGranted, namespaceFacts } from "../../control/namespace-grant.ts";
import { missingTools } from "../../control/agent-runtime/offered-tools.ts";
import { listNames } from "../../control/object-name.ts";
import { redisURLProblem } from "../../control/agent-runtime/redis-url-problem.ts";
import {
  spelledInPack,
  untakenParameters,
} from "../../control/agent-runtime/untaken-parameters.ts";
import { checkRegistryTools, toolsAmongFiles } from "./check-registry-tools.ts";
import { checkPackContent } from "./check-pack-content.ts";
import { Findings, type Finding } from "./findings.ts";
import { ReferenceLookup, type ResourceOf } from "./reference-lookup.ts";

type Agent = ResourceOf<"AgentRuntime">;

/** `texts` holds the text of each file by its name. */
export function checkReferences(
  resources: readonly ManifestResource[],
  texts: ReadonlyMap<string, string>,
): readonly Finding[] {
  const findings = new Findings();
  const lookup = new ReferenceLookup(resources, findings);
  const checker = new ReferenceChecker(lookup, findings, { resources, texts });
  for (const resource of resources) {
    if (resource.kind === "PromptPack") checker.checkPack(resource);
    if (resource.kind === "ToolRegistry") checkRegistryTools(resource, resources, findings);
    if (resource.kind === "AgentRuntime") checker.checkAgent(resource);
  }
  return findings.all;
}

interface Files {
  readonly resources: readonly ManifestResource[];
  /** The text of each file by its name. */
  readonly texts: ReadonlyMap<string, string>;
}

class ReferenceChecker {
  readonly #lookup: ReferenceLookup;
  readonly #findings: Findings;
  readonly #files: Files;

  constructor(lookup: ReferenceLookup, findings: Findings, files: Files) {
    this.#lookup = lookup;
    this.#findings = findings;
    this.#files = files;
  }

  checkPack(pack: ResourceOf<"PromptPack">): ReturnType<typeof checkPackContent> {
    const path = ["spec", "source", "configMapRef"];
    const { name, key } = pack.value.spec.source.configMapRef;
    const configMap = this.#lookup.find(pack, [...path, "name"], "ConfigMap", name);
    if (configMap === undefined) return undefined;
    const content = this.#lookup.valueOf(pack, [...path, "key"], configMap, key);
    if (content === undefined) return undefined;
    const text = this.#files.texts.get(configMap.file) ?? "";
    return checkPackContent(configMap, key, text, this.#findings);
  }

  checkAgent(agent: Agent): void {
    const { facade, session, env = [] } = agent.value.spec;
    const runtime = runtimeSpecOf(agent.value.spec);
    const prompt = runtime === undefined ? undefined : this.#checkRuntime(agent, runtime);
    this.#checkRuntimeVariables(agent);
    this.#checkReplicas(agent);
    this.#checkTools(agent);
    if (prompt !== undefined) this.#checkWantedTools(agent, prompt);
    if (session.type === "redis" && session.storeRef !== undefined) {
      const path = ["spec", "session", "storeRef"];
      const url = this.#lookup.secretValue(agent, path, session.storeRef);
      const problem = url === undefined ? undefined : redisURLProblem(url);
      if (problem !== undefined) {
        const message = `the key "${session.storeRef.key}" holds no URL of a Redis: ${problem}`;
        this.#findings.error(agent, [...path, "key"], message);
      }
    }
    if (facade.auth?.apiKeysSecretRef !== undefined) {
      const path = ["spec", "facade", "auth", "apiKeysSecretRef", "name"];
      const { name } = facade.auth.apiKeysSecretRef;
      const secret = this.#lookup.find(agent, path, "Secret", name);
      if (secret !== undefined && secretKeys(secret.value).length === 0) {
        this.#findings.error(agent, path, `Secret "${name}" holds no key: nobody could connect`);
      }
    }
    for (const [index, { valueFrom }] of env.entries()) {
      const path = ["spec", "env", index, "valueFrom"];
      const { configMapKeyRef, secretKeyRef } = valueFrom ?? {};
      if (secretKeyRef !== undefined && secretKeyRef.optional !== true) {
        this.#lookup.secretValue(agent, [...path, "secretKeyRef"], secretKeyRef);
      }
      if (configMapKeyRef !== undefined && configMapKeyRef.optional !== true) {
        const at = [...path, "configMapKeyRef"];
        const configMap = this.#lookup.find(
          agent,
          [...at, "name"],
          "ConfigMap",
          configMapKeyRef.name,
        );
        if (configMap !== undefined) {
          this.#lookup.valueOf(agent, [...at, "key"], configMap, configMapKeyRef.key);
        }
      }
    }
  }

  /** Where an autoscaler is to set the number of replicas, a manifest that names one works against it. */
  #checkReplicas(agent: Agent): void {
    const { autoscaling, replicas } = agent.value.spec;
    if (autoscaling?.enabled !== true || !agent.specFields.includes("replicas")) return;
    const message = `the ${scalerOf(autoscaling)} sets it, and each time that this manifest is applied it is ${replicas} again; leave it out`;
    this.#findings.warning(agent, ["spec", "replicas"], message);
  }

  /** Checks what an agent would refuse when it starts. What comes from elsewhere is not known here. */
  #checkRuntimeVariables(agent: Agent): void {
    const { env = [] } = agent.value.spec;
    // A value may hold others, as $(NAME).
    const known = env.flatMap(({ name, value = "", valueFrom }) =>
      valueFrom === undefined && !value.includes("$(") ? [[name, value] as const] : [],
    );
    const reading = readRuntimeSettings(Object.fromEntries(known));
    if (reading.status !== "unusable") return;
    const index = env.findIndex(({ name }) => name === reading.variable);
    this.#findings.error(agent, ["spec", "env", index, "value"], reading.problem);
  }

  /** Checks what only handler `runtime` reads. */
  #checkRuntime(
    agent: Agent,
    { provider, promptPackRef }: RuntimeSpec,
  ): ResolvedPrompt | undefined {
    if (provider === undefined) return this.#checkPrompt(agent, promptPackRef, undefined);
    const { tokenLimitField = "auto", ...given } = provider.parameters ?? {};
    const own = tokenLimitField === "auto" ? given : { ...given, tokenLimitField };
    const older = agent.value.spec.providerSecretRef !== undefined;
    const path = older ? ["spec", "providerSecretRef"] : ["spec", "provider", "apiKeySecretRef"];
    this.#lookup.credential(agent, path, provider.apiKeySecretRef, apiKeyProblem);
    const prompt = this.#checkPrompt(agent, promptPackRef, provider.model);
    const endpoint = { ...provider, api: providerAPI(provider) };
    const all = { ...prompt?.parameters, ...own };
    for (const { parameter, effect } of untakenParameters(endpoint, all)) {
      if (Object.hasOwn(own, parameter)) {
        const at = ["spec", "provider", "parameters", parameter];
        this.#findings.warning(agent, at, `it ${effect}`);
      } else {
        const what = `${spelledInPack(parameter)} of prompt "${prompt?.name}"`;
        this.#findings.warning(agent, ["spec", "promptPackRef"], `${what} ${effect}`);
      }
    }
    return prompt;
  }

  #checkTools(agent: Agent): void {
    const named = toolRegistryNameOf(agent.value.spec);
    if (named === undefined) return;
    const path = ["spec", "toolRegistryRef", "name"];
    const { name, namespace } = named;
    const registry = this.#lookup.find(agent, path, "ToolRegistry", name, namespace);
    if (registry === undefined) return;
    this.#checkGrant(agent, path, registry);
    for (const [index, tool] of registry.value.spec.tools.entries()) {
      const { secretRef, refusal } = toolCredential(tool, agent.value, registry.namespace);
      if (refusal !== undefined) {
        const at = ["spec", "toolRegistryRef", "credentials"];
        this.#findings.error(agent, at, `tool "${tool.name}": ${refusal}`);
      } else if (secretRef !== undefined && secretRef === tool.authSecretRef) {
        const at = ["spec", "tools", index, "authSecretRef"];
        this.#lookup.credential(registry, at, secretRef, headerValueProblem, agent.namespace);
      }
    }
    for (const [index, { secretRef }] of (
      agent.value.spec.toolRegistryRef?.credentials ?? []
    ).entries()) {
      const at = ["spec", "toolRegistryRef", "credentials", index, "secretRef"];
      this.#lookup.credential(agent, at, secretRef, headerValueProblem);
    }
  }

  /**
   * Reports a reference that is certain to be refused. Where a selector decides it is only a note, because the files do not hold
   * all labels of namespaces. The operator may be set to allow less.
   */
  #checkGrant(
    agent: Agent,
    path: readonly (string | number)[],
    { value, kind, name, namespace }: ResourceOf<"PromptPack"> | ResourceOf<"ToolRegistry">,
  ): void {
    const { allowedNamespaces } = value.spec;
    const from = namespaceFacts(agent.namespace, undefined);
    if (isGranted({ namespace, allowedNamespaces }, from, "Allowed")) return;
    const message = `${kind} "${name}" does not allow namespace "${agent.namespace}" in its allowedNamespaces`;
    if (allowedNamespaces?.from !== "Selector") this.#findings.error(agent, path, message);
    else this.#findings.note(agent, path, `${message}, unless the namespace has other labels`);
  }

  /** Notes which tools the prompt wants and nobody gives, unless the registry is not among the files as a whole. */
  #checkWantedTools(agent: Agent, prompt: ResolvedPrompt): void {
    const named = toolRegistryNameOf(agent.value.spec);
    const registry =
      named && this.#lookup.peek("ToolRegistry", named.name, named.namespace ?? agent.namespace);
    const tools =
      named === undefined ? [] : registry && toolsAmongFiles(registry, this.#files.resources);
    for (const step of [prompt, ...Object.values(prompt.others)]) {
      const missing = tools === undefined ? [] : missingTools(tools, step);
      if (missing.length > 0) this.#noteMissing(agent, step.name, missing, named);
    }
  }

  #noteMissing(
    agent: Agent,
    prompt: string,
    missing: readonly string[],
    named: ReturnType<typeof toolRegistryNameOf>,
  ): void {
    const wants = `prompt "${prompt}" wants ${missing.length === 1 ? "the tool" : "the tools"} ${listNames(missing)}`;
    if (named === undefined) {
      const message = `${wants}, and the agent names no ToolRegistry in toolRegistryRef`;
      this.#findings.note(agent, ["spec", "promptPackRef", "name"], message);
    } else {
      const message = `${wants}, which ToolRegistry "${named.name}" does not offer`;
      this.#findings.note(agent, ["spec", "toolRegistryRef", "name"], message);
    }
  }

  /** Returns the prompt when it could be resolved. */
  #checkPrompt(
    agent: Agent,
    ref: RuntimeSpec["promptPackRef"],
    model: string | undefined,
  ): ResolvedPrompt | undefined {
    const path = ["spec", "promptPackRef"];
    const { name, namespace, prompt, variables } = ref;
    const pack = this.#lookup.find(agent, [...path, "name"], "PromptPack", name, namespace);
    if (pack !== undefined) this.#checkGrant(agent, [...path, "name"], pack);
    const document = pack === undefined ? undefined : this.checkPack(pack);
    if (document === undefined) return undefined;
    const resolved = resolvePrompt(document, {
      prompt,
      variables,
      model,
      agent: agent.value.metadata,
    });
    if (resolved.ok) {
      for (const variable of resolved.value.unusedVariables) {
        const at = [...path, "variables", variable];
        this.#findings.warning(agent, at, `prompt "${resolved.value.name}" uses no such variable`);
      }
      return resolved.value;
    }
    const fields: Record<typeof resolved.reason, string> = {
      PromptNotFound: "prompt",
      VariablesMissing: "variables",
      Invalid: "name",
    };
    this.#findings.error(agent, [...path, fields[resolved.reason]], resolved.message);
    return undefined;
  }
}
