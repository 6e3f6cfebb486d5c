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
import { type Finding, holds } from "../condition.ts";
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
  /** A digest of all that `config` was made of, but for the name of the agent. `undefined` where the last good config is kept. */
  madeOf?: string | undefined;
  status: AgentRuntimeStatus;
}

/** What is decided without a look at the replicas. */
export interface WantedDecision extends Omit<AgentRuntimeDecision, "status"> {
  refusedImage: string | undefined;
  /** About the references, in the order in which they are shown. */
  findings: Finding<"AgentRuntime">[];
  /** What keeps replicas from starting or from becoming ready, in sentences for people. */
  unmet: string[];
}

type WantedInput = Pick<
  AgentRuntimeInput,
  "agentRuntime" | "references" | "previous" | "policy" | "gatewayKeys"
>;
type StatusInput = Pick<
  AgentRuntimeInput,
  "agentRuntime" | "observed" | "autoscaler" | "endpoint" | "now"
>;

export function decideAgentRuntime(input: AgentRuntimeInput): AgentRuntimeDecision {
  const wanted = decideWanted(input);
  const { config, workload, madeOf } = wanted;
  return { config, workload, madeOf, status: decideStatus(wanted, input) };
}

export function decideWanted(input: WantedInput): WantedDecision {
  const { agentRuntime, references, previous } = input;
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

  const parts = { facade, provider, promptPack, toolRegistry, sessionStore };
  const assembled = assembleConfig(facts, parts, gatewayKeys);
  // Whose word counts is no part of what is kept while a reference is broken.
  const config =
    assembled?.config ?? (previous.config && withGatewayKeys(previous.config, gatewayKeys));
  const secretFiles = assembled?.secretFiles ?? previous.secretFiles ?? [];
  const { image, podTemplate } = agentRuntime.spec;
  const sidecarImages = podTemplate?.sidecars?.map((sidecar) => sidecar.image) ?? [];
  const refusedImage = imageProblem([image, ...sidecarImages], policy);
  const workload =
    refusedImage === undefined && config !== undefined
      ? buildWorkload(agentRuntime, config, secretFiles)
      : undefined;
  return {
    config,
    workload,
    madeOf: assembled?.madeOf,
    refusedImage,
    findings: [promptPack, toolRegistry, provider, sessionStore].map(({ finding }) => finding),
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
  };
}

export function decideStatus(
  { config, workload, refusedImage, findings, unmet }: WantedDecision,
  { agentRuntime, observed, autoscaler, endpoint, now }: StatusInput,
): AgentRuntimeStatus {
  return agentStatus({
    agentRuntime,
    config,
    isRunnable: workload !== undefined,
    observed: withRefusal(observed, refusedImage),
    autoscaler,
    endpoint,
    now,
    references: findings,
    unmet,
  });
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
