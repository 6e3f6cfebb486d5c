import { get } from "node:http";

export interface ReplicaAddress {
  readonly host: string;
  readonly port: number;
}

export interface Answer {
  readonly status: number | undefined;
  readonly body: string;
}

/** No more of an answer is read. */
const MAX_ANSWER_BYTES = 16 * 1024;

/** Asks the management port of a replica. Resolves to `undefined` when no whole answer came before the signal was aborted. */
export function getAnswer(
  { host, port }: ReplicaAddress,
  path: string,
  signal: AbortSignal,
): Promise<Answer | undefined> {
  return new Promise((resolve) => {
    const sent = get({ host, port, path, agent: false, signal }, (response) => {
      let body = "";
      response.setEncoding("utf8");
      response.on("data", (text: string) => {
        body += text;
        if (body.length > MAX_ANSWER_BYTES) sent.destroy();
      });
      response.on("close", () => {
        const isWhole = response.complete || body.length > MAX_ANSWER_BYTES;
        resolve(isWhole ? { status: response.statusCode, body } : undefined);
      });
    });
    sent.on("error", () => resolve(undefined));
  });
}
