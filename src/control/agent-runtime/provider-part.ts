import { basename } from "node:path/posix";
import type { RuntimeProvider } from "../../api/agent-runtime.ts";
import type { AgentConfig, Parameters, ProviderConfig } from "../../agent-config/agent-config.ts";
import { type AgentFacts, type AgentPart, previousFiles, PROVIDER_FOLDER } from "./agent-facts.ts";
import { holds } from "../condition.ts";
import { providerAPI } from "../../agent-config/provider-api.ts";
import { baseURLProblem, type TrustPolicy } from "../trust-policy.ts";
import {
  type CredentialProblem,
  describeSecretKey,
  judgeCredential,
  type SecretProblem,
} from "./judge-secret-key.ts";
import type { SecretReference } from "./references.ts";
import type { SecretFile } from "./workload-decision.ts";
import { spelledInPack, untakenParameters } from "./untaken-parameters.ts";

type ProviderPart = AgentPart<"ProviderReady", ProviderConfig | undefined>;

/** Finds whether the key of the model's provider is there, and can be sent. */
export function providerPart({
  agentRuntime,
  runtime,
  references,
  previous,
  policy,
}: AgentFacts): ProviderPart {
  const type = "ProviderReady";
  const { provider } = runtime ?? {};
  if (provider === undefined) {
    const message =
      runtime === undefined
        ? `Handler "${agentRuntime.spec.facade.handler}" runs no model`
        : "The runtime brings its own model";
    return {
      finding: { type, reason: "NotNeeded", message },
      result: { value: undefined, secretFiles: [] },
    };
  }
  const problem = judge(provider, references.providerSecret, policy);
  if (problem === undefined) {
    const source = describeSecretKey(provider.apiKeySecretRef, references.providerSecret);
    const message = `The key for ${provider.name} comes from ${source}`;
    return { finding: { type, reason: "Resolved", message }, result: fromSpec(provider) };
  }
  // The last provider is kept as a whole, because the key of one provider must never be sent to another.
  const kept = previous.config?.provider;
  return {
    finding: { type, ...problem },
    result:
      kept === undefined
        ? undefined
        : {
            value: kept,
            secretFiles: previousFiles(previous, PROVIDER_FOLDER) ?? [fileOf(kept, provider)],
          },
  };
}

/** Adds to the condition which parameters of the provider and of the prompts the model is not asked with. The condition stays True. */
export function tellUntakenParameters(
  part: ProviderPart,
  prompts: AgentConfig["prompt"],
): ProviderPart {
  const provider = part.result?.value;
  if (provider === undefined || !holds("AgentRuntime", part.finding)) return part;
  const used = prompts === undefined ? [] : [prompts.active, prompts.canary?.prompt];
  const told = (used.length === 0 ? [undefined] : used).flatMap((prompt) =>
    untakenOf(provider, prompt?.parameters),
  );
  if (told.length === 0) return part;
  const message = `${part.finding.message}. Parameters: ${[...new Set(told)].join("; ")}`;
  return { ...part, finding: { ...part.finding, message } };
}

function untakenOf(provider: ProviderConfig, ofPack: Parameters = {}): string[] {
  const own = { ...provider.parameters, tokenLimitField: provider.tokenLimitField };
  return untakenParameters(provider, { ...ofPack, ...own }).map(({ parameter, effect }) =>
    own[parameter] === undefined
      ? `${spelledInPack(parameter)} of the pack ${effect}`
      : `${parameter} ${effect}`,
  );
}

type ProviderProblem =
  | { reason: "NotAllowed"; message: string }
  | SecretProblem
  | CredentialProblem;

function judge(
  { baseURL, apiKeySecretRef }: RuntimeProvider,
  secret: SecretReference | undefined,
  policy: TrustPolicy,
): ProviderProblem | undefined {
  const message = baseURLProblem(baseURL, policy);
  if (message !== undefined) return { reason: "NotAllowed", message };
  return judgeCredential(apiKeySecretRef, secret);
}

function fromSpec(provider: RuntimeProvider): NonNullable<ProviderPart["result"]> {
  const { name, model, baseURL, apiKeySecretRef, prices } = provider;
  const { tokenLimitField, ...parameters } = provider.parameters ?? {};
  const value: ProviderConfig = {
    name,
    model,
    baseURL,
    api: providerAPI(provider),
    parameters,
    tokenLimitField: name !== "openai" || tokenLimitField === "auto" ? undefined : tokenLimitField,
    apiKeyFile: `${PROVIDER_FOLDER}/${apiKeySecretRef.key}`,
    prices,
  };
  return { value, secretFiles: [fileOf(value, provider)] };
}

function fileOf({ apiKeyFile }: ProviderConfig, { apiKeySecretRef }: RuntimeProvider): SecretFile {
  return { path: apiKeyFile, secretName: apiKeySecretRef.name, key: basename(apiKeyFile) };
}
