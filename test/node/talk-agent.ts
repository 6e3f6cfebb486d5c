/** An agent with a model and its sessions in Redis, both of which are on this machine, and streams that talk with it. */
import {
  aConfigMapManifest,
  anAgentManifest,
  aPromptPackManifest,
  aSecretManifest,
  PACK_KEY,
} from "../support/builders/manifests.ts";
import { aPackText } from "../support/builders/a-pack.ts";
import { startRedis } from "../support/redis/redis.ts";
import { loadService, type LoadFigures } from "../survival/service-load.ts";
import { type ClusterNode, type KubeObject, MACHINE_ADDRESS } from "./cluster-node.ts";
import { startTalkModel, type TalkModel } from "./talk-model.ts";

export const STREAMS = 50;
const CONNECTS_PER_SECOND = 5;
const PAUSE_MS = 200;
const PIECES = { from: 15, to: 30 };
const REPLICAS = 3;

export interface TalkAgentOptions {
  readonly name?: string | undefined;
  /** How many serve when it has started. */
  readonly replicas?: number | undefined;
  /** Fields of the spec besides, or instead. */
  readonly spec?: object | undefined;
}

export class TalkAgent implements AsyncDisposable {
  readonly name: string;
  readonly model: TalkModel;
  readonly #replicas: number;
  readonly #node: ClusterNode;
  readonly #parts: AsyncDisposableStack;

  private constructor(
    { name, replicas }: { readonly name: string; readonly replicas: number },
    node: ClusterNode,
    model: TalkModel,
    parts: AsyncDisposableStack,
  ) {
    this.name = name;
    this.#replicas = replicas;
    this.#node = node;
    this.model = model;
    this.#parts = parts;
  }

  static async start(
    node: ClusterNode,
    { name = "talk", replicas = REPLICAS, spec = {} }: TalkAgentOptions = {},
  ): Promise<TalkAgent> {
    await using parts = new AsyncDisposableStack();
    const model = parts.use(await startTalkModel(PAUSE_MS));
    const bind = [`bind 127.0.0.1 ${MACHINE_ADDRESS}`, "protected-mode no"];
    const redis = parts.use(await startRedis({ config: bind }));
    const agent = new TalkAgent({ name, replicas }, node, model, parts.move());
    const at = (name: string) => ({ name, namespace: "default" });
    const provider = {
      name: "openai",
      model: "m",
      baseURL: `${model.url}/v1`,
      apiKeySecretRef: { name: "model", key: "api-key" },
    };
    await node.create(
      aSecretManifest(at("model"), { "api-key": "sk-first" }),
      aSecretManifest(at("store"), { url: `redis://${MACHINE_ADDRESS}:${redis.port}` }),
      aConfigMapManifest(at("talk-pack"), { [PACK_KEY]: aPackText({ version: "1.0.0" }) }),
      aPromptPackManifest(at("prompts"), "talk-pack"),
      anAgentManifest(at(name), {
        replicas,
        provider,
        toolRegistryRef: undefined,
        session: { type: "redis", storeRef: { name: "store", key: "url" } },
        ...spec,
      }),
    );
    await agent.serves();
    return agent;
  }

  /** So many replicas are ready, and no other one is there that is not about to go. */
  async serves(replicas = this.#replicas, limitMs?: number): Promise<readonly KubeObject[]> {
    const what = `${replicas} replicas of ${this.name} that serve`;
    return await this.#node.eventually(
      what,
      async () => {
        const pods = await this.#node.podsOf(this.name);
        const ready = pods.filter(({ status }) =>
          (status.conditions ?? []).some(
            ({ type, status }: KubeObject) => type === "Ready" && status === "True",
          ),
        );
        return pods.length === replicas && ready.length === replicas ? pods : undefined;
      },
      limitMs,
    );
  }

  async url(): Promise<string> {
    return `ws://${await this.#node.addressOf(this.name)}/ws`;
  }

  /** What streams that talk all the time, and fresh connections beside them, notice of what is done meanwhile. */
  async under(
    url: string,
    act: () => Promise<void>,
    { streams = STREAMS, connectsPerSecond = CONNECTS_PER_SECOND } = {},
  ): Promise<LoadFigures> {
    const calm = new AbortController();
    const before = this.model.asked();
    const load = loadService(
      {
        url,
        streams,
        connectsPerSecond,
        pieces: PIECES,
        seed: String(Date.now()),
      },
      calm.signal,
    );
    try {
      await Promise.race([
        load,
        this.#node.eventually("streams that all talk", async () =>
          this.model.asked() >= before + streams ? true : undefined,
        ),
      ]);
      await act();
    } finally {
      calm.abort();
      await load;
    }
    return await load;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#parts.disposeAsync();
  }
}

/** Connects that failed, without those that the machine, busy with all of this, was only slow to greet. */
export function lostConnects({ failedConnects }: LoadFigures): string[] {
  return failedConnects.filter((line) => !line.includes("greeted after"));
}
