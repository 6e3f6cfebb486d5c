/** A gRPC server whose methods are tools. Its types are known by reflection, or from a set of descriptors in the config. */
import type { ToolConfig } from "../../agent-config/agent-config.ts";
import type { ReadSecret } from "../../agent-config/read-secret.ts";
import type { Log } from "../../observability/log.ts";
import type { Clock } from "../../time/clock.ts";
import { Deadline } from "../../time/deadline.ts";
import { MAX_TOOL_OUTPUT_BYTES } from "../server/limits.ts";
import { addCallerHeaders } from "../server/tool-caller.ts";
import {
  type Attempt,
  GatedCalls,
  type PrepareCall,
  type ToolGate,
} from "../server/gated-calls.ts";
import { toolHeaders } from "../server/tool-headers.ts";
import type { ToolOutcome } from "../server/tool-outcome.ts";
import type { ListingServer, ListReading, UnsupportedTool } from "../server/read-list.ts";
import type { ListedTool, ToolCallOptions } from "../server/tool-server.ts";
import { grpcAddress } from "./grpc-address.ts";
import { GrpcBackend } from "./grpc-backend.ts";
import type { Described } from "./grpc-client.ts";
import type { CalledMethod } from "./offered-methods.ts";

export interface GrpcToolContext {
  readonly gate: ToolGate;
  /** `undefined`: the tool's url is no address of a gRPC server. */
  readonly backend: GrpcBackend | undefined;
  readonly readSecret: ReadSecret;
  readonly clock: Clock;
  /** At least 0 and below 1; spreads retries. */
  readonly random: () => number;
  readonly log?: Log | undefined;
}

interface Offer {
  readonly described: Described;
  readonly listed: readonly ListedTool[];
  readonly methods: ReadonlyMap<string, CalledMethod>;
  readonly unsupported: readonly UnsupportedTool[];
}

const NOT_DESCRIBED = "the tool could not be reached: its server does not say which tools it has";
const NO_ADDRESS = "the tool's url is no address of a gRPC server";
const PARTLY_OFFERED = "a gRPC server is not offered as a whole";
const USUAL_HEADERS = { "user-agent": "omnia-agent" };

/** The part of a GrpcBackend that a tool decides. */
export function createGrpcBackend(
  tool: ToolConfig,
  { readSecret, clock, log }: { readSecret: ReadSecret; clock: Clock; log?: Log | undefined },
): GrpcBackend | undefined {
  const address = grpcAddress(tool.url);
  if (address === undefined) return undefined;
  const fields = { tool: tool.registryName };
  return new GrpcBackend({
    address,
    allowedAddresses: tool.allowedAddresses ?? [],
    descriptorSet: tool.grpc?.descriptorSet,
    services: tool.grpc?.services,
    clock,
    headers: async () => {
      const made = await toolHeaders(tool, USUAL_HEADERS, readSecret);
      return "error" in made ? made : { headers: Object.fromEntries(made.headers) };
    },
    onFailure: (why) =>
      log?.warn({ ...fields, why }, "a gRPC server does not say which tools it has"),
    onDescribed: ({ notes }) => {
      for (const note of notes) log?.warn({ ...fields, note }, PARTLY_OFFERED);
    },
  });
}

export class GrpcToolServer implements ListingServer {
  readonly #tool: ToolConfig;
  readonly #context: GrpcToolContext;
  readonly #calls: GatedCalls;
  #offer: Offer | undefined;

  constructor(tool: ToolConfig, context: GrpcToolContext) {
    this.#tool = tool;
    this.#context = context;
    this.#calls = new GatedCalls({ ...context, retries: tool.retries });
  }

  async list(signal: AbortSignal): Promise<readonly ListedTool[]> {
    return (await this.#offered(signal))?.listed ?? [];
  }

  async readList(signal: AbortSignal): Promise<ListReading> {
    const { backend } = this.#context;
    if (backend === undefined)
      return { state: "failed", reason: "InvalidTool", message: NO_ADDRESS };
    const described = await backend.describedNow(signal);
    if (described === undefined) {
      const message = backend.failure ?? NOT_DESCRIBED;
      return { state: "failed", reason: "Unreachable", message };
    }
    const { listed, unsupported } = await this.#offerOf(described);
    return { state: "read", tools: listed, unsupported };
  }

  async call(
    name: string,
    toolArguments: Readonly<Record<string, unknown>>,
    options: ToolCallOptions,
  ): Promise<ToolOutcome> {
    return await this.#calls.call(() => this.#prepare(name, toolArguments, options), options);
  }

  /** Makes what one attempt needs, or says why the tool cannot be called. */
  async #prepare(
    name: string,
    toolArguments: Readonly<Record<string, unknown>>,
    { signal, timeoutMs, caller }: ToolCallOptions,
  ): ReturnType<PrepareCall> {
    const { backend, readSecret, clock } = this.#context;
    if (backend === undefined) return { error: NO_ADDRESS };
    const offer = this.#offer ?? (await this.#offered(signal));
    if (offer === undefined) return { error: backend.failure ?? NOT_DESCRIBED };
    const method = offer.methods.get(name);
    if (method === undefined) return { error: "the tool's server does not have it any more" };
    const { registry } = offer.described;
    const { grpc, client } = await backend.load();
    const made = grpc.toRequest(method, toolArguments, registry);
    if ("error" in made) return made;
    const { request, body } = made;
    const sent = await toolHeaders(this.#tool, USUAL_HEADERS, readSecret);
    if ("error" in sent) return sent;
    const { headers, credential } = sent;
    const now = clock.now();
    const told = addCallerHeaders(headers, this.#tool, { caller, credential, body, now });
    if ("error" in told) return told;
    const settings = {
      headers: Object.fromEntries(headers),
      secrets: [...sent.secrets, ...told.secrets],
      responseLimit: this.#tool.responseLimit ?? MAX_TOOL_OUTPUT_BYTES,
      timeoutMs,
      onUnimplemented: () => backend.forgetDescription(),
    };
    const tryOnce = async (): Promise<Attempt> => {
      using deadline = new Deadline({ ms: timeoutMs, clock, signal });
      return await client.attempt(method, request, registry, { ...settings, deadline });
    };
    return { tryOnce };
  }

  /** `undefined`: the server has not said yet what it has. */
  async #offered(signal: AbortSignal): Promise<Offer | undefined> {
    const described = await this.#context.backend?.described(signal);
    return described === undefined ? this.#offer : await this.#offerOf(described);
  }

  async #offerOf(described: Described): Promise<Offer> {
    if (described === this.#offer?.described) return this.#offer;
    const { offeredTools } = await import("./offered-tools.ts");
    const { notes, ...offer } = offeredTools(described.services, this.#tool);
    const tool = this.#tool.registryName;
    const streams = offer.unsupported.map(
      ({ name, reason }) => `${name} is not offered: ${reason}`,
    );
    for (const note of [...streams, ...notes]) {
      this.#context.log?.info({ tool, note }, PARTLY_OFFERED);
    }
    const made = { described, ...offer };
    this.#offer = made;
    return made;
  }
}
