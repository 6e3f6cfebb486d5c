import {
  GATEWAY_TOKEN_HEADER,
  type GatewayRequest,
  type GatewayTokenSigner,
  GATEWAY_VERBS,
} from "../../../src/agent-config/gateway-token.ts";

export interface ApiResponse {
  readonly status: number;
  readonly headers: Headers;
  // oxlint-disable-next-line typescript/no-explicit-any -- a test looks into it as it likes
  readonly body: any;
}

/** Asks an agent as a gateway does: each request has a token of its own, which allows all unless it is told otherwise. */
export class GatewayClient {
  readonly #url: string;
  readonly #signer: GatewayTokenSigner;
  readonly #asks: Partial<GatewayRequest>;

  /** `url`: of the agent's facade, with any scheme. */
  constructor(url: string, signer: GatewayTokenSigner, asks: Partial<GatewayRequest> = {}) {
    this.#url = url.replace(/^ws/, "http");
    this.#signer = signer;
    this.#asks = asks;
  }

  /** The same gateway, asking for somebody else. */
  as(asks: Partial<GatewayRequest>): GatewayClient {
    return new GatewayClient(this.#url, this.#signer, { ...this.#asks, ...asks });
  }

  get headers(): Record<string, string> {
    const request = { agent: "team/helper", verbs: GATEWAY_VERBS, ...this.#asks };
    return { [GATEWAY_TOKEN_HEADER]: this.#signer.sign(request) };
  }

  /** `path` is what follows `/api/v1alpha1/`. */
  async request(
    method: string,
    path: string,
    { body, signal }: { body?: unknown; signal?: AbortSignal } = {},
  ): Promise<ApiResponse> {
    const response = await fetch(`${this.#url}/api/v1alpha1/${path}`, {
      method,
      headers: { ...this.headers, "content-type": "application/json" },
      ...(body === undefined
        ? {}
        : { body: typeof body === "string" ? body : JSON.stringify(body) }),
      ...(signal === undefined ? {} : { signal }),
    });
    const text = await response.text();
    const { status, headers } = response;
    return { status, headers, body: text === "" ? undefined : JSON.parse(text) };
  }

  get(path: string): Promise<ApiResponse> {
    return this.request("GET", path);
  }
}
