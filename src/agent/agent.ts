/** One replica of an agent: follows its config, serves its facade and its management port, and drains before it ends. */
import { randomBytes, randomUUID } from "node:crypto";
import { hostname } from "node:os";
import { dirname, join } from "node:path";
import {
  MANAGEMENT_PORT,
  type AgentConfig,
  type AuthConfig,
} from "../agent-config/agent-config.ts";
import {
  createAgentMetrics,
  observeAgentBudget,
  observeAgentPressure,
  observeAgentReadiness,
  VERSION_LABEL,
} from "./contracts/agent-metrics.ts";
import { systemClock, type Clock } from "../time/clock.ts";
import { within } from "../time/within.ts";
import type { Log } from "../observability/log.ts";
import { LiveEvals } from "./live-evals/live-evals.ts";
import { SecretValues } from "../observability/secrets/secret-values.ts";
import { loadTracer } from "../observability/tracing/load-tracer.ts";
import type { Tracer } from "../observability/tracing/tracer.ts";
import { Management } from "../observability/management.ts";
import { createMetrics } from "../observability/metrics.ts";
import { CONFIG_KEY_VARIABLE, readPublicKey } from "../agent-config/config-signature.ts";
import { ConfigFile } from "./settings/config-file.ts";
import { CurrentStore } from "./sessions/current-store.ts";
import type { NotReadyReason } from "../observability/readiness-answer.ts";
import type { Authenticator } from "../authentication/authenticator.ts";
import { createAuthenticator } from "../authentication/create-authenticator.ts";
import { Facade } from "./facade/facade.ts";
import { FileWatch } from "./settings/file-watch.ts";
import { frameworkOf, type Framework } from "./framework/framework.ts";
import { Handlers } from "./handlers/handler-loader.ts";
import {
  DRAIN_TIMEOUT_MS,
  FILE_POLL_MS,
  FIRST_CONFIG_POLL_MS,
  FLUSH_TIMEOUT_MS,
  limitsOf,
} from "./contracts/limits.ts";
import { createReadiness } from "./readiness.ts";
import { describeReplica } from "./replica-description.ts";
import { createSecretReader } from "./settings/secret-files.ts";
import { LoadedEndpoint } from "./sessions-endpoint/loaded-endpoint.ts";
import { SessionStoreSetting } from "./settings/session-store-setting.ts";
import { packVersionsOf } from "./runtime/session-prompt.ts";
import { newSessionId } from "./sessions/session-id.ts";
import { CanaryCounter } from "./turns/canary-counter.ts";
import { timestamp } from "./turns/timestamp.ts";
import { SessionFeeds } from "./turns/session-feeds.ts";
import { ToolsEndpoint } from "./tools-endpoint/tools-endpoint.ts";
import { TurnRunner } from "./turns/turn-runner.ts";
import { WritePace } from "./turns/write-pace.ts";

const TOOLS_SECRET_BYTES = 24;
const PROCESS_NAME_BYTES = 12;

export interface AgentOptions {
  readonly configPath: string;
  /** The address to listen on; all addresses when it is not given. */
  readonly host?: string | undefined;
  /** In place of the port in the config; 0 takes any that is free. */
  readonly facadePort?: number | undefined;
  readonly managementPort?: number | undefined;
  /** Drains the agent when aborted. */
  readonly signal?: AbortSignal | undefined;
  readonly log: Log;
  /** Every secret that is read is added to these, so that the log knows it. */
  readonly secretValues?: SecretValues | undefined;
  readonly clock?: Clock | undefined;
  /**
   * The name by which people know this replica.
   * @default the name of the machine, which is that of the pod in a cluster
   */
  readonly replica?: string | undefined;
  /** The version of the program. */
  readonly version?: string | undefined;
  /** `OMNIA_DEMO_PAUSES=off` makes the demo quick, and `OMNIA_RUNTIME…` names a runtime in another framework. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Told of the process that leads the group of such a runtime, and of undefined when it has ended. */
  readonly onRuntimeProcess?: ((pid: number | undefined) => void) | undefined;
  /** Called when both ports listen, and again when the facade has moved to another port. */
  readonly onListening?:
    | ((ports: { facadePort: number; managementPort: number }) => void)
    | undefined;
}

export interface RunningAgent {
  readonly managementPort: number;
  /** Undefined until a config names the port. */
  readonly facadePort: number | undefined;
  /** Takes no new connections and turns, and lets the turns that run come to their end. Settles when all is closed. */
  drain(): Promise<void>;
  /** Ends at once. The turns that run are cut off. */
  close(): Promise<void>;
  /** Settles when the agent has ended, for whatever reason. */
  readonly closed: Promise<void>;
}

/** Settles once the management port listens, and the facade too when its port is known. */
export async function runAgent(options: AgentOptions): Promise<RunningAgent> {
  const agent = new Agent(options);
  try {
    await agent.start();
  } catch (error) {
    await agent.close();
    throw error;
  }
  if (options.signal?.aborted) void agent.drain();
  options.signal?.addEventListener("abort", () => void agent.drain(), { once: true });
  return agent;
}

class Agent implements RunningAgent {
  readonly #options: AgentOptions;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #configFile: ConfigFile;
  readonly #files: FileWatch;
  readonly #metrics = createMetrics({ processMetrics: true });
  readonly #stores: CurrentStore;
  readonly #storeSetting: SessionStoreSetting;
  readonly #framework: Framework | undefined;
  readonly #toolsEndpoint: ToolsEndpoint | undefined;
  readonly #handlers: Handlers;
  readonly #runner: TurnRunner;
  readonly #canary = new CanaryCounter(randomBytes(PROCESS_NAME_BYTES).toString("base64url"));
  readonly #facade: Facade;
  readonly #sessionsEndpoint: LoadedEndpoint;
  readonly #management: Management;
  readonly #readSecret: (relativePath: string) => Promise<string>;
  readonly #ended = Promise.withResolvers<void>();

  #config: AgentConfig | undefined;
  #configProblem = "it was not read yet";
  #authentication: {
    readonly identity: string | undefined;
    readonly authenticator: Authenticator | undefined;
  } = { identity: undefined, authenticator: undefined };
  #facadePort: number | undefined;
  /** The port that the facade was told to listen on; 0 for any that is free. */
  #askedPort: number | undefined;
  #tracer: Tracer | undefined;
  #notReady: readonly NotReadyReason[] | undefined;
  #isStarted = false;
  #managementPort = 0;
  #reloading: Promise<void> = Promise.resolve();
  #isReloadDue = false;
  #draining: Promise<void> | undefined;
  #closing: Promise<void> | undefined;

  constructor(options: AgentOptions) {
    const { configPath, log, env, secretValues } = options;
    const clock = options.clock ?? systemClock;
    const replica = options.replica ?? hostname();
    this.#options = options;
    this.#clock = clock;
    this.#log = log;
    const publicKey = env[CONFIG_KEY_VARIABLE];
    this.#configFile = new ConfigFile(configPath, publicKey ? readPublicKey(publicKey) : undefined);
    this.#readSecret = createSecretReader(configPath, (secret) => secretValues?.add(secret));
    // The config says the same, once there is one.
    const agent = env["OMNIA_AGENT_NAME"];
    const namespace = env["OMNIA_NAMESPACE"];
    if (agent !== undefined && namespace !== undefined) {
      this.#metrics.setCommonLabels({ agent, namespace });
    }
    this.#stores = new CurrentStore((error) =>
      log.warn({ error }, "A session store did not close well"),
    );
    this.#storeSetting = new SessionStoreSetting({
      stores: this.#stores,
      readSecret: this.#readSecret,
      clock,
      log,
    });
    const metrics = createAgentMetrics(this.#metrics, {
      connectionsActive: () => this.#facade.connections,
      sessionsActive: () => this.#stores.peek()?.activeSessions() ?? 0,
      requestsInflight: () => this.#runner.inFlight,
    });
    observeAgentPressure(this.#metrics, {
      requestsQueued: () => this.#runner.queued,
      limits: () => limitsOf(this.#config),
    });
    observeAgentReadiness(this.#metrics, () => this.#notReady);
    observeAgentBudget(this.#metrics, {
      limits: () => this.#config?.budget ?? {},
      tokensToday: () => this.#runner.tokensToday,
    });
    this.#framework = frameworkOf({
      env,
      configFolder: dirname(configPath),
      clock,
      random: Math.random,
      log,
      secretValues: secretValues ?? new SecretValues(),
      onProcess: options.onRuntimeProcess,
    });
    if (this.#framework?.isLocal === true) {
      this.#toolsEndpoint = new ToolsEndpoint({
        list: (signal) => this.#handlers.tools(this.#loadedConfig(), signal),
        newSecret: () => randomBytes(TOOLS_SECRET_BYTES).toString("base64url"),
        log,
      });
      secretValues?.add(this.#toolsEndpoint.secret);
    }
    this.#handlers = new Handlers({
      framework: this.#framework,
      toolsEndpoint: this.#toolsEndpoint,
      readSecret: this.#readSecret,
      clock,
      log,
      metrics,
      demoPauses: env["OMNIA_DEMO_PAUSES"] !== "off",
    });
    const feeds = new SessionFeeds();
    this.#runner = new TurnRunner({
      feeds,
      clock,
      pace: new WritePace(clock),
      metrics,
      log,
      replica,
      tracer: () => this.#tracer,
      canary: this.#canary,
      evals: new LiveEvals({
        metrics,
        log,
        onScore: (version, score) => this.#canary.countEval(version, score),
      }),
      handlers: this.#handlers,
      config: () => this.#loadedConfig(),
    });
    const { host } = options;
    const startedAt = timestamp(clock.now());
    this.#sessionsEndpoint = new LoadedEndpoint({
      currentConfig: () => this.#config,
      stores: this.#stores,
      newSessionId: () => newSessionId(randomBytes),
      callTool: (call) => this.#handlers.callTool(call),
      newId: randomUUID,
      replica,
      describeReplica: (sessionId) =>
        describeReplica(
          {
            name: replica,
            version: options.version ?? "",
            startedAt,
            facade: this.#facade,
            runner: this.#runner,
            stores: this.#stores,
          },
          sessionId,
        ),
      clock,
      log,
    });
    this.#facade = new Facade({
      host,
      runner: this.#runner,
      feeds,
      stores: this.#stores,
      clock,
      log,
      metrics,
      newSessionId: () => newSessionId(randomBytes),
      limits: () => limitsOf(this.#config),
      currentConfig: () => this.#config,
      authenticator: () => this.#authentication.authenticator,
      handleApiRequest: (request, response) => this.#sessionsEndpoint.handle(request, response),
    });
    this.#management = new Management({
      host,
      metrics: this.#metrics,
      canary: () => this.#canary.report(),
      reasons: createReadiness({
        clock,
        log,
        isDraining: () => this.#draining !== undefined,
        isListening: () => this.#facadePort !== undefined,
        config: () => this.#config ?? this.#configProblem,
        storeProblem: () => this.#storeSetting.problem,
        store: () => this.#stores.peek(),
        handlerReady: (config) => this.#handlers.ready(config),
        onJudged: (reasons) => (this.#notReady = reasons),
      }),
    });
    this.#files = new FileWatch({
      clock,
      pollMs: FIRST_CONFIG_POLL_MS,
      onChange: () => void this.#reload(),
    });
  }

  get managementPort(): number {
    return this.#managementPort;
  }

  get facadePort(): number | undefined {
    return this.#facadePort;
  }

  get closed(): Promise<void> {
    return this.#ended.promise;
  }

  async start(): Promise<void> {
    const { facadePort, managementPort, configPath } = this.#options;
    this.#managementPort = await this.#management.listen(managementPort ?? MANAGEMENT_PORT);
    this.#files.watch([dirname(configPath)], FIRST_CONFIG_POLL_MS);
    await this.#toolsEndpoint?.listen();
    this.#tracer = await this.#loadTracer();
    // The config is read first, so that a facade that listens can serve whoever connects.
    await this.#reload();
    const port = facadePort ?? this.#config?.facade.port;
    if (port !== undefined) await this.#listen(port);
    this.#isStarted = true;
  }

  drain(): Promise<void> {
    this.#draining ??= this.#drain();
    return this.#draining;
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #drain(): Promise<void> {
    this.#log.info(
      { turns: this.#runner.inFlight, connections: this.#facade.connections },
      "Draining",
    );
    this.#runner.refuseNewTurns();
    this.#facade.drain();
    const drained = Promise.all([this.#runner.whenIdle(), this.#facade.whenEmpty()]);
    await within(DRAIN_TIMEOUT_MS, drained, this.#clock);
    this.#runner.stopAll("shutting-down");
    await within(FLUSH_TIMEOUT_MS, this.#runner.whenIdle(), this.#clock);
    this.#facade.closeConnections();
    await within(FLUSH_TIMEOUT_MS, this.#facade.whenEmpty(), this.#clock);
    await this.close();
  }

  async #close(): Promise<void> {
    this.#draining ??= this.closed;
    this.#files.close();
    await this.#reloading;
    await this.#storeSetting.close();
    this.#runner.stopAll("shutting-down");
    this.#runner.close();
    await this.#sessionsEndpoint.close();
    await this.#handlers.close();
    await this.#facade.close();
    await this.#framework?.endpoint.close();
    await this.#toolsEndpoint?.close();
    await this.#management.close();
    await this.#stores.close();
    await this.#tracer?.close();
    this.#log.info({}, "Ended");
    this.#ended.resolve();
  }

  #loadTracer(): Promise<Tracer | undefined> {
    const { env, secretValues, version = "", replica = hostname() } = this.#options;
    const name = env["OMNIA_AGENT_NAME"] ?? "omnia-agent";
    return loadTracer({
      env,
      secretValues,
      clock: this.#clock,
      log: this.#log,
      version,
      resource: {
        "service.name": name,
        "service.namespace": env["OMNIA_NAMESPACE"] ?? "",
        "service.instance.id": replica,
        "service.version": version,
      },
    });
  }

  #loadedConfig(): AgentConfig {
    if (this.#config === undefined) throw new Error("there is no config");
    return this.#config;
  }

  /** Reads the config. There is one reading at a time, and one more after it when something changes meanwhile. */
  #reload(): Promise<void> {
    if (this.#isReloadDue) return this.#reloading;
    this.#isReloadDue = true;
    this.#reloading = this.#reloading.then(async () => {
      this.#isReloadDue = false;
      if (this.#closing !== undefined) return;
      await this.#readConfig();
    });
    return this.#reloading;
  }

  async #readConfig(): Promise<void> {
    const reading = await this.#configFile.read();
    if (reading.status === "unusable" && reading.problem !== this.#configProblem) {
      this.#configProblem = reading.problem;
      const outcome =
        this.#config === undefined
          ? "There is no usable config yet"
          : "The config before stays in use";
      this.#log.error({ problem: reading.problem }, outcome);
    }
    if (reading.status === "read") this.#configProblem = "";
    const config = reading.status === "read" ? reading.config : this.#config;
    if (config === undefined) return;
    // The files that the config names may have changed even if the config has not.
    await this.#storeSetting.apply(config);
    await this.#learnProviderKey(config);
    if (reading.status === "read") this.#take(config);
    // The keys of issuers and the files with API keys change without the config.
    void this.#facade.review();
    if (this.#isStarted && this.#options.facadePort === undefined)
      await this.#moveTo(config.facade.port);
  }

  #take(config: AgentConfig): void {
    const { name, namespace } = config.agent;
    this.#metrics.setCommonLabels({ agent: name, namespace });
    this.#setAuthenticator(config.facade.auth);
    this.#config = config;
    this.#canary.take(config);
    this.#metrics.keepOnly(VERSION_LABEL, packVersionsOf(config));
    this.#watchFiles(config);
    this.#log.info(
      {
        agent: name,
        namespace,
        handler: config.handler,
        promptPack: config.prompt?.active.version,
      },
      "The config is in use",
    );
    if (config.handler === "runtime") {
      const toolsMcpUrl = this.#toolsEndpoint?.url;
      this.#framework?.endpoint.start({ provider: config.provider, toolsMcpUrl });
    }
    // The handler is loaded now, so that the first turn does not wait for it.
    this.#handlers
      .load(config.handler)
      .catch((error: unknown) => this.#log.error({ error }, "The handler could not be loaded"));
  }

  /** A runtime reads the key by itself, and may print it. The log has to know it. */
  async #learnProviderKey({ provider }: AgentConfig): Promise<void> {
    if (this.#framework === undefined || provider === undefined) return;
    // The runtime says what follows from a file that cannot be read.
    await this.#readSecret(provider.apiKeyFile).catch(() => {});
  }

  /** The authenticator stays while the config asks for the same, so that it need not fetch keys again. */
  #setAuthenticator(auth: AuthConfig | undefined): void {
    const identity = JSON.stringify(auth);
    if (identity === this.#authentication.identity) return;
    const authenticator = createAuthenticator(auth, {
      configFolder: dirname(this.#options.configPath),
      clock: this.#clock,
      log: this.#log,
    });
    this.#authentication = { identity, authenticator };
  }

  #watchFiles(config: AgentConfig): void {
    const folder = dirname(this.#options.configPath);
    const secretFolders = [
      SessionStoreSetting.secretFolder(config),
      config.facade.auth?.apiKeysFolder,
      this.#framework && config.provider && dirname(config.provider.apiKeyFile),
    ].filter((path) => path !== undefined);
    this.#files.watch([folder, ...secretFolders.map((path) => join(folder, path))], FILE_POLL_MS);
  }

  /** Moves the facade to another port. When that fails it is tried again with the next reading of the config. */
  async #moveTo(port: number): Promise<void> {
    if (port === this.#askedPort) return;
    try {
      await this.#listen(port);
    } catch (error) {
      this.#log.error({ error, port }, "The facade could not listen on its port");
    }
  }

  async #listen(port: number): Promise<void> {
    const facadePort = await this.#facade.listen(port);
    const managementPort = this.#managementPort;
    this.#askedPort = port;
    this.#facadePort = facadePort;
    this.#log.info({ facadePort, managementPort }, "Listening");
    this.#options.onListening?.({ facadePort, managementPort });
  }
}
