/** `omnia up` runs agents from files as processes of this machine, behind one address. */
import { generateKeyPairSync } from "node:crypto";
import { resolve } from "node:path";
import { GatewayTokenSigner } from "../../agent-config/gateway-token.ts";
import type { Clock, Timer } from "../../time/clock.ts";
import type { Log } from "../../observability/log.ts";
import type { CrossNamespaceReferences } from "../../control/namespace-grant.ts";
import { hideInText } from "../../control/hide-values.ts";
import { DEFAULT_TRUST_POLICY } from "../../control/trust-policy.ts";
import { DRAIN_GRACE_MS } from "../replicas/workload.ts";
import { claimStateFolder } from "../state/claim.ts";
import { listenOrExplain, urlOf } from "./listen-or-explain.ts";
import type { LocalRoute } from "../agent.ts";
import { LocalControl } from "../control.ts";
import { LocalResources } from "../resources/local-resources.ts";
import type { ObjectName } from "../../control/object-name.ts";
import { openBrowser } from "./open-browser.ts";
import { quickstartFolder } from "./quickstart.ts";
import type { ManifestState } from "../manifests/last-good-manifests.ts";
import type { Environment } from "../secrets/resolve-secret.ts";
import { defaultStateFolder } from "../state/state-folder.ts";
import { createUpOutput, logTo, type UpOutput } from "./output.ts";
import type { Output } from "../../observability/terminal/writer.ts";
import { upView, type UpView } from "./view.ts";
import { Wake } from "../../time/wake.ts";
import { PatientFiles } from "../manifests/patient-files.ts";
import { watchManifests } from "../manifests/watch.ts";

/** Takes the connections of clients. It is passed in, because gateways and the processes of this machine do not know each other. */
export type CreateFrontDoor = (options: {
  source: {
    resolve(agent: ObjectName): LocalRoute | { readonly status: "unknown" };
    agents(): readonly ObjectName[];
    resources(): ReturnType<LocalResources["resources"]>;
  };
  resources: LocalResources;
  log: Log;
  /** Proves to the agents who asks, where the front door asks for others. */
  signer: GatewayTokenSigner;
  token: string;
  allowedHosts: readonly string[];
}) => {
  /** `wantsToken` says whether others than the user of this machine may reach it, so that it tells what runs to those with the token. */
  listen(address: { host: string; port: number }): Promise<{ port: number; wantsToken: boolean }>;
  close(signal: AbortSignal): Promise<void>;
};

export interface UpOptions {
  /** Files and folders. Without any, the bundled quickstart is run. */
  readonly files: readonly string[];
  /** With 0, any free port is taken. */
  readonly port: number;
  readonly host: string;
  /** Names under which it is reached besides those that it has by its address. */
  readonly allowedHosts: readonly string[];
  /** What the pages and the API want of those who read them, where others may reach them. */
  readonly token: string;
  /** @default a folder for each port, below the user's state folder */
  readonly stateFolder?: string | undefined;
  readonly crossNamespaceReferences: CrossNamespaceReferences;
  /** Whether to open a browser, where the user can see one. */
  readonly open: boolean;
  readonly out: Output;
  /** When it is aborted, the agents are drained, and `up` ends. */
  readonly signal: AbortSignal;
  /** When it is aborted, `up` ends at once. */
  readonly endNow?: AbortSignal;
  /** The program itself: `<execPath> <entry> agent …` starts a replica. */
  readonly entry: string;
  readonly execPath?: string;
  /** What people type to start the program. It is part of the advice that is printed. */
  readonly program: string;
  readonly env: Environment;
  readonly clock: Clock;
  readonly random: () => number;
  readonly createGateway: CreateFrontDoor;
}

/** What could not be carried out is tried again after this time. */
const RETRY_MS = 2_000;
/** After the agents have ended, their last frames have this time to reach the clients. */
const FLUSH_MS = 1_000;

/**
 * Resolves when it was ended, to whether an operation on a file still hangs, for which Node.js would wait. Rejects with an UpError
 * when it cannot start.
 */
export async function runUp(options: UpOptions): Promise<{ isHanging: boolean }> {
  const { host, clock, env, signal } = options;
  await using ended = new AsyncDisposableStack();
  const over = new AbortController();
  ended.defer(() => over.abort());

  const paths = options.files.length > 0 ? options.files : [await quickstartFolder()];
  const files = new PatientFiles(clock, over.signal);
  const states = watchManifests({ paths, patientFiles: files, clock, signal: over.signal });
  // The files come first, because nothing else makes sense without them.
  const end = (): void => over.abort();
  signal.addEventListener("abort", end);
  if (signal.aborted) end();
  const first = await states.next();
  signal.removeEventListener("abort", end);
  if (first.done === true) return files;

  const changed = new Wake();
  const output = ended.use(createUpOutput(options.out, clock, options.program));
  // The agents end with this program, so the key lives no longer than they do and is written nowhere.
  const { privateKey } = generateKeyPairSync("ed25519");
  const signer = new GatewayTokenSigner(privateKey.export({ type: "pkcs8", format: "pem" }), clock);
  let control: LocalControl | undefined;
  const resources = new LocalResources({ clock, control: () => control });
  const gateway = options.createGateway({
    source: {
      resolve: (agent) => {
        const route = control?.agent(agent)?.route() ?? { status: "unknown" };
        return route.status === "unavailable"
          ? { ...route, reason: hideInText(route.reason) }
          : route;
      },
      agents: () => control?.agents().map(({ resource }) => resource.metadata) ?? [],
      resources: () => resources.resources(),
    },
    resources,
    log: logTo((line) => output.say(line)),
    signer,
    token: options.token,
    allowedHosts: options.allowedHosts,
  });
  const { port, wantsToken } = await listenOrExplain(gateway, options, env);
  ended.defer(() => gateway.close(AbortSignal.abort()));
  const url = urlOf({ host, port });

  const stateFolder = resolve(options.stateFolder ?? defaultStateFolder(env, port));
  const startedAt = new Date(clock.now()).toISOString();
  const token = wantsToken ? options.token : undefined;
  const info = { url, port, pid: process.pid, startedAt, token, folder: stateFolder };
  ended.use(await claimStateFolder(stateFolder, env, info));

  control = new LocalControl({
    stateFolder,
    environment: env,
    clock,
    random: options.random,
    command: { execPath: options.execPath ?? process.execPath, arguments: [options.entry] },
    graceMs: DRAIN_GRACE_MS,
    policy: {
      ...DEFAULT_TRUST_POLICY,
      crossNamespaceReferences: options.crossNamespaceReferences,
    },
    gatewayKeys: [signer.publicKey],
    gatewayURL: `${url.replace(/^http/, "ws")}/ws`,
    onChange: () => changed.raise(),
    say: ({ namespace, name }, line) => output.say(`AgentRuntime ${namespace}/${name}: ${line}`),
    warnOfTools: ({ namespace, name }, line) =>
      output.say(`ToolRegistry ${namespace}/${name}: ${line}`),
    sayOfPack: ({ namespace, name }, line) =>
      output.say(`PromptPack ${namespace}/${name}: ${line}`),
    onEvent: (about, happened) => resources.record(about, happened),
    log: logTo((line) => output.say(line)),
  });
  // In whichever way this program ends, its agents do not outlive it.
  const kill = control.kill.bind(control);
  process.once("exit", kill);
  ended.defer(() => void process.off("exit", kill));
  ended.defer(kill);

  output.start(url, token);
  const isExposed = wantsToken;
  const up = new Up({
    control,
    resources,
    output,
    clock,
    changed,
    url,
    isExposed,
    first: first.value,
  });
  const following = up.follow(states);
  const watching = [control.watch(over.signal), control.watchRollbacks(over.signal)];
  await up.run(signal, () => {
    // Other users of this machine see the arguments of a browser that is started, so the token is left to the user to paste.
    if (options.open && options.out.isTTY === true && !wantsToken) openBrowser(url, env);
  });
  await up.drain(gateway, options.endNow);
  over.abort();
  await Promise.all([following, ...watching]);
  return files;
}

/** The loop: whenever anything changes, everything is decided again. */
class Up {
  readonly #control: LocalControl;
  readonly #resources: LocalResources;
  readonly #output: UpOutput;
  readonly #clock: Clock;
  readonly #changed: Wake;
  readonly #url: string;
  readonly #isExposed: boolean;
  #manifests: ManifestState;
  #view: UpView | undefined;
  #lastFailure: string | undefined;

  constructor(parts: {
    control: LocalControl;
    resources: LocalResources;
    output: UpOutput;
    clock: Clock;
    changed: Wake;
    url: string;
    isExposed: boolean;
    first: ManifestState;
  }) {
    this.#control = parts.control;
    this.#resources = parts.resources;
    this.#output = parts.output;
    this.#clock = parts.clock;
    this.#changed = parts.changed;
    this.#url = parts.url;
    this.#isExposed = parts.isExposed;
    this.#manifests = parts.first;
  }

  async follow(states: AsyncIterable<ManifestState>): Promise<void> {
    for await (const state of states) {
      this.#manifests = state;
      this.#changed.raise();
    }
  }

  /** Runs until the signal is aborted. */
  async run(signal: AbortSignal, onFirst: () => void): Promise<void> {
    this.#changed.raise();
    let retry: Timer | undefined;
    for (let passes = 0; ; passes += 1) {
      await this.#changed.wait(signal);
      retry?.cancel();
      if (signal.aborted) return;
      const carriedOut = await this.#reconcile(signal);
      if (signal.aborted) return;
      this.#resources.update();
      this.#view = upView(this.#control, {
        url: this.#url,
        problems: this.#manifests.problems,
        isExposed: this.#isExposed,
        ending: false,
      });
      this.#output.show(this.#view);
      if (passes === 0) onFirst();
      if (!carriedOut) retry = this.#clock.setTimer(RETRY_MS, () => this.#changed.raise());
    }
  }

  async #reconcile(signal: AbortSignal): Promise<boolean> {
    try {
      const carriedOut = await this.#control.reconcile(this.#manifests.resources, signal);
      if (carriedOut) this.#lastFailure = undefined;
      return carriedOut;
    } catch (error) {
      // Most likely the state folder is full or was deleted.
      const message = messageOf(error);
      if (message !== this.#lastFailure)
        this.#output.say(`Not all could be carried out: ${message}; it is tried again`);
      this.#lastFailure = message;
      return false;
    }
  }

  /** Lets the agents finish what they do, and ends them when `endNow` is aborted. */
  async drain(
    gateway: { close(signal: AbortSignal): Promise<void> },
    endNow: AbortSignal | undefined,
  ): Promise<void> {
    if (this.#view !== undefined) this.#output.show({ ...this.#view, ending: true });
    const cut = new AbortController();
    const end = (): void => {
      this.#control.kill();
      cut.abort();
    };
    this.#control.retire();
    if (endNow?.aborted === true) end();
    endNow?.addEventListener("abort", end, { once: true });
    const closed = gateway.close(cut.signal);
    const never = new AbortController().signal;
    while (!this.#control.isIdle) await this.#changed.wait(never);
    const flush = this.#clock.setTimer(FLUSH_MS, () => cut.abort());
    await closed;
    flush.cancel();
    endNow?.removeEventListener("abort", end);
    await this.#control.clean();
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
