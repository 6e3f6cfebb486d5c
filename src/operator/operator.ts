/** The three controllers, put together over caches that are already being filled. They work while this process leads. */
import { randomUUID } from "node:crypto";
import { GROUP } from "../api/group.ts";
import type { Controller } from "../kube/controller/controller.ts";
import { EventRecorder } from "../kube/events.ts";
import { createAgentRuntimeController } from "./agent-runtime/controller.ts";
import type { ControllerSettings, OperatorContext } from "./cluster/operator-context.ts";
import { createPromptPacks, type PromptPacks } from "./prompt-pack/controller.ts";
import { createToolRegistries, type ToolRegistries } from "./tool-registry/controller.ts";

export interface OperatorParts extends Omit<OperatorContext, "events"> {
  /** The name of this process, which stands in the events that it reports. */
  readonly instance: string;
  readonly controllerSettings: (controller: string) => ControllerSettings;
  /** The time between two probes of the tools that are given by URL. */
  readonly probeIntervalMs?: number | undefined;
}

export interface Operator {
  readonly promptPacks: PromptPacks;
  readonly toolRegistries: ToolRegistries;
  readonly agentRuntimes: Controller;
  readonly controllers: readonly Controller[];
  /** Works until the signal is aborted, and then resolves. An operator runs once. */
  run(signal: AbortSignal): Promise<void>;
}

export function createOperator(parts: OperatorParts): Operator {
  const { client, caches, clock, log, settings, signer } = parts;
  const { controllerSettings, probeIntervalMs } = parts;
  const events = new EventRecorder({
    client: client.givingWay(),
    reportingController: `${GROUP}/operator`,
    reportingInstance: parts.instance,
    clock,
    newName: () => randomUUID().slice(0, 13),
    onError: (error) => log.warn({ error }, "An event could not be written"),
  });
  const context: OperatorContext = { client, caches, events, clock, log, settings, signer };
  const promptPacks = createPromptPacks(context, controllerSettings("promptpack"));
  const toolRegistries = createToolRegistries(context, {
    ...controllerSettings("toolregistry"),
    probeIntervalMs,
  });
  const agentRuntimes = createAgentRuntimeController(
    context,
    { promptPacks: promptPacks.decided, toolRegistries: toolRegistries.decided },
    controllerSettings("agentruntime"),
  );
  const controllers = [promptPacks.controller, toolRegistries.controller, agentRuntimes];
  return {
    promptPacks,
    toolRegistries,
    agentRuntimes,
    controllers,
    async run(signal) {
      await Promise.all([
        ...controllers.map((controller) => controller.run(signal)),
        toolRegistries.run(signal),
      ]);
    },
  };
}
