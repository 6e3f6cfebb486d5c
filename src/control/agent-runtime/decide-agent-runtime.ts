/**
 * The pure decision about an AgentRuntime: its agent config, its workload, its status.
 *
 * Each part of the config comes from the spec and the references of this moment. When a reference is broken, the part stays as
 * it was in the last config. When the part was never there, there is no config yet, and no replica.
 */
import {
  type AgentRuntime,
  type AgentRuntimeStatus,
  runtimeSpecOf,
} from "../../api/agent-runtime.ts";
import type { AgentConfig } from "../../agent-config/agent-config.ts";
import type { AgentFacts, PreviousDecision } from "./agent-facts.ts";
import { agentStatus } from "./agent-status.ts";
import { assembleConfig, withGatewayKeys } from "./assemble-config.ts";
import { buildWorkload } from "./build-workload.ts";
import { holds } from "../condition.ts";
import type { ObservedAutoscaler } from "./autoscaling-ready.ts";
import type { ObservedWorkload } from "./available.ts";
import { promptPackPart } from "./prompt-pack-part.ts";
import { providerPart, tellUntakenParameters } from "./provider-part.ts";
import { sessionStorePart } from "./session-store-part.ts";
import { toolRegistryPart } from "./tool-registry-part.ts";
import { facadePart } from "./facade-part.ts";
import type { AgentReferences } from "./references.ts";
import { DEFAULT_TRUST_POLICY, imageProblem, type TrustPolicy } from "../trust-policy.ts";
import type { WorkloadDecision } from "./workload-decision.ts";

export interface AgentRuntimeInput {
  /** Its `status` is the one that was written last. */
  agentRuntime: AgentRuntime;
  references: AgentReferences;
  /** `undefined` while there is no workload yet. */
  observed: ObservedWorkload | undefined;
  /** `undefined` where there are no autoscalers. */
  autoscaler?: ObservedAutoscaler | undefined;
  /** When a reference breaks later, its part stays as it was decided here. */
  previous: PreviousDecision;
  /** The address for clients, where that is not the Service of the agent. */
  endpoint?: string | undefined;
  policy?: TrustPolicy | undefined;
  /** The public keys of the gateways that the agent is to believe, as `gateway.publicKeys` of the config. None: no gateway. */
  gatewayKeys?: readonly string[] | undefined;
  /** Milliseconds since 1970. */
  now: number;
}

export interface AgentRuntimeDecision {
  /** `undefined` until every reference was there once. Later the last good config is kept. */
  config: AgentConfig | undefined;
  /** `undefined` when `config` is, and when the image is not allowed: no replica is started or changed then. */
  workload: WorkloadDecision | undefined;
  status: AgentRuntimeStatus;
}

export function decideAgentRuntime(input: AgentRuntimeInput): AgentRuntimeDecision {
  const { agentRuntime, references, previous, endpoint, now } = input;
  const { policy = DEFAULT_TRUST_POLICY, gatewayKeys = [] } = input;
  const runtime = runtimeSpecOf(agentRuntime.spec);
  const facts: AgentFacts = { agentRuntime, runtime, references, previous, policy };

  const facade = facadePart(facts);
  const providerAlone = providerPart(facts);
  // The pack may have another prompt for another model, and the prompt says which tools it wants.
  const promptPack = promptPackPart(facts, providerAlone.result?.value?.model);
  const provider = tellUntakenParameters(providerAlone, promptPack.result?.value.prompt);
  const toolRegistry = toolRegistryPart(facts, promptPack.result?.value);
  const sessionStore = sessionStorePart(facts);

  const assembled = assembleConfig(facts, {
    facade,
    provider,
    promptPack,
    toolRegistry,
    sessionStore,
  });
  // Whose word counts is no part of what is kept while a reference is broken.
  const config = withGatewayKeys(assembled?.config ?? previous.config, gatewayKeys);
  const secretFiles = assembled?.secretFiles ?? previous.secretFiles ?? [];
  const { image, podTemplate } = agentRuntime.spec;
  const sidecarImages = podTemplate?.sidecars?.map((sidecar) => sidecar.image) ?? [];
  const refusedImage = imageProblem([image, ...sidecarImages], policy);
  const workload =
    refusedImage === undefined && config !== undefined
      ? buildWorkload(agentRuntime, config, secretFiles)
      : undefined;
  const observed = withRefusal(input.observed, refusedImage);
  const status = agentStatus({
    agentRuntime,
    config,
    isRunnable: workload !== undefined,
    observed,
    autoscaler: input.autoscaler,
    endpoint,
    now,
    references: [promptPack, toolRegistry, provider, sessionStore].map(({ finding }) => finding),
    unmet: [
      // There is no config without these. Replicas that have a last good config start without them.
      ...[promptPack, toolRegistry].flatMap(({ finding, result }) =>
        result === undefined ? finding.message : [],
      ),
      // A replica needs these Secrets, whatever is in its config.
      ...[provider, sessionStore].flatMap(({ finding }) =>
        holds("AgentRuntime", finding) ? [] : finding.message,
      ),
      ...(facade.problem === undefined ? [] : [facade.problem]),
      ...(refusedImage === undefined ? [] : [refusedImage]),
    ],
  });
  return { config, workload, status };
}

/** Replicas that run go on as they are. It is said that they are not what the spec wants. */
function withRefusal(
  observed: ObservedWorkload | undefined,
  refusedImage: string | undefined,
): ObservedWorkload | undefined {
  if (observed === undefined || refusedImage === undefined) return observed;
  return {
    ...observed,
    failure: { reason: "PodsFailing", message: refusedImage },
    obstacle: { reason: "RolloutStuck", message: refusedImage },
  };
}
