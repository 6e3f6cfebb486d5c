import type { IncomingMessage } from "node:http";
import { z } from "zod";
import { ApiProblem, problemResponse } from "../../../gateway/api/requests/api-problem.ts";
import { judgeWrite } from "../../../gateway/api/requests/write-rule.ts";
import type { SignIns } from "./sign-ins.ts";

const MAX_BODY_BYTES = 1_024;
const bodySchema = z.object({ code: z.string().max(MAX_BODY_BYTES) });

/** Answers a page that brings the code of its address, with the key that it asks with from then on: `{ token }`. */
export async function answerSignIn(
  request: IncomingMessage,
  { signIns, onRefusedCode }: { signIns: SignIns; onRefusedCode: () => void },
): Promise<Response> {
  try {
    const { method = "" } = request;
    if (method !== "POST") {
      throw new ApiProblem("InvalidRequest", "a code is sent by POST", { status: 405 });
    }
    judgeWrite(method, request.headers as Record<string, string | undefined>);
    const token = signIns.redeem(await codeOf(request));
    if (token !== undefined) return Response.json({ token });
    onRefusedCode();
    throw new ApiProblem("Unauthorized", "the code was used before, or is too old", {
      cure: "Press Enter where omnia console runs for another address, or start it again.",
    });
  } catch (error) {
    if (error instanceof ApiProblem) return problemResponse(error);
    throw error;
  }
}

async function codeOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > MAX_BODY_BYTES) break;
    chunks.push(chunk);
  }
  try {
    return bodySchema.parse(JSON.parse(Buffer.concat(chunks).toString())).code;
  } catch (error) {
    throw new ApiProblem("InvalidRequest", "the body has to be an object with the code", {
      cause: error,
    });
  }
}
