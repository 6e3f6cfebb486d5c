/** One gRPC server, as all prompts that offer its tools share it: the connection, and what is known of its types. */
import type { Clock } from "../../time/clock.ts";
import { Deadline } from "../../time/deadline.ts";
import { untilAborted } from "../../time/until-aborted.ts";
import { LATE, within } from "../../time/within.ts";
import { TOOL_REST_MS } from "../server/limits.ts";
import type { GrpcAddress } from "./grpc-address.ts";
import type * as GrpcModule from "./grpc-client.ts";
import type { Described, GrpcClient } from "./grpc-client.ts";
import {
  DESCRIPTORS_FRESH_MS,
  MAX_DESCRIBE_AGAIN_MS,
  MAX_DESCRIBE_MS,
  MAX_REFLECTION_MS,
} from "./grpc-limits.ts";
import { Http2Connection } from "./http2-connection.ts";

export interface GrpcBackendOptions {
  readonly address: GrpcAddress;
  readonly allowedAddresses: readonly string[];
  /** Base64 of a FileDescriptorSet. `undefined`: the server is asked by reflection. */
  readonly descriptorSet: string | undefined;
  readonly services: readonly string[] | undefined;
  readonly clock: Clock;
  /** Gives the headers of a request, or says why there are none. */
  readonly headers: () => Promise<
    { readonly headers: Readonly<Record<string, string>> } | { readonly error: string }
  >;
  /** Called when the description of the server fails, with why, once until it succeeds again. */
  readonly onFailure: (why: string) => void;
  /** Called when the server describes itself in another way than before. */
  readonly onDescribed: (described: Described) => void;
}

type Grpc = typeof GrpcModule;

export class GrpcBackend {
  readonly #options: GrpcBackendOptions;
  readonly #connection: Http2Connection;
  #client: GrpcClient | undefined;
  #described: Described | undefined;
  #describing: Promise<void> | undefined;
  #goodUntil = -Infinity;
  #failure: string | undefined;
  #wasLate = false;

  constructor(options: GrpcBackendOptions) {
    this.#options = options;
    const { address, allowedAddresses: allowed, clock } = options;
    this.#connection = new Http2Connection({ address, allowed, clock });
  }

  async load(): Promise<{ readonly grpc: Grpc; readonly client: GrpcClient }> {
    const grpc = await import("./grpc-client.ts");
    this.#client ??= new grpc.GrpcClient(this.#options.address, this.#connection);
    return { grpc, client: this.#client };
  }

  /**
   * What is known of the server, after it was asked where that is due. `undefined`: nothing yet. Nobody waits long for a server that
   * has failed or was late, or that has said something before. Rejects only when the signal is aborted, and then the server is still asked, for
   * others.
   */
  async described(signal: AbortSignal): Promise<Described | undefined> {
    signal.throwIfAborted();
    const { clock } = this.#options;
    if (clock.monotonic() >= this.#goodUntil) {
      const describing = this.#ask();
      const isNew = this.#described === undefined && this.#failure === undefined && !this.#wasLate;
      const wait = isNew ? MAX_DESCRIBE_MS : MAX_DESCRIBE_AGAIN_MS;
      const ended = await untilAborted(within(wait, describing, clock), signal);
      this.#wasLate = ended === LATE;
    }
    return this.#described;
  }

  /** Asks the server now. `undefined`: it failed, as `failure` says. Rejects only when the signal is aborted. */
  async describedNow(signal: AbortSignal): Promise<Described | undefined> {
    signal.throwIfAborted();
    await untilAborted(this.#ask(), signal);
    return this.#failure === undefined ? this.#described : undefined;
  }

  /** Ends the connection once the calls that are under way have ended. */
  close(): void {
    this.#connection.renew();
  }

  /** Why nothing is known of the server, for the model and the client. */
  get failure(): string | undefined {
    return this.#failure;
  }

  /** The server does not have what it said. It is asked again when its tools are listed next. */
  forgetDescription(): void {
    if (this.#options.descriptorSet === undefined) this.#goodUntil = -Infinity;
  }

  /** Those who ask at the same time share the answer. Never rejects. */
  #ask(): Promise<void> {
    return (this.#describing ??= this.#describe().finally(() => (this.#describing = undefined)));
  }

  async #describe(): Promise<void> {
    const { clock, onFailure, onDescribed } = this.#options;
    try {
      const described = await this.#read();
      this.#goodUntil = clock.monotonic() + DESCRIPTORS_FRESH_MS;
      this.#failure = undefined;
      if (described.digest === this.#described?.digest) return;
      this.#described = described;
      onDescribed(described);
    } catch (error) {
      this.#goodUntil = clock.monotonic() + TOOL_REST_MS;
      const { grpc } = await this.load();
      const isKnown = this.#failure !== undefined;
      this.#failure =
        error instanceof NotDescribedError ? error.message : grpc.describeFailure(error);
      if (!isKnown) onFailure(this.#failure);
    }
  }

  async #read(): Promise<Described> {
    const { descriptorSet, services, clock, headers } = this.#options;
    const { grpc, client } = await this.load();
    if (descriptorSet !== undefined) {
      try {
        return this.#described ?? grpc.readDescriptorSet(descriptorSet, services);
      } catch (error) {
        throw new NotDescribedError("the tool's descriptor set cannot be used", { cause: error });
      }
    }
    const made = await headers();
    if ("error" in made) throw new NotDescribedError(made.error);
    using deadline = new Deadline({ ms: MAX_REFLECTION_MS, clock });
    try {
      return await client.reflect({ headers: made.headers, services, signal: deadline.signal });
    } catch (error) {
      if (!deadline.isOver) throw error;
      this.#connection.renew();
      const why = `the tool did not describe itself within ${MAX_REFLECTION_MS / 1000} seconds`;
      throw new NotDescribedError(why, { cause: error });
    }
  }
}

/** Its message is our own. */
class NotDescribedError extends Error {
  override readonly name = "NotDescribedError";
}
