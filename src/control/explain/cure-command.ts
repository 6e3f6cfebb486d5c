/** The command that does, or begins to do, what the cure of a condition says, in a cluster. */
import {
  CONTAINER_NOT_STARTED,
  IMAGE_NOT_PULLED,
  NO_PROMETHEUS,
  NO_REQUEST,
  PODS_NOT_MADE,
} from "../replica-words.ts";
import type { ReadField } from "./cures.ts";

export interface CommandFacts {
  readonly name: string;
  readonly namespace: string;
  readonly field: ReadField;
}

type MakeCommand = (facts: CommandFacts, message: string) => string | undefined;

/** What `ReadField` answers for a field that is not set. */
const UNSET = "…";
/** What people put their own value for. */
const VALUE = "VALUE";

/** What a container that has not run, or a pod that is not there, has. */
const WITHOUT_A_LOG = [IMAGE_NOT_PULLED, CONTAINER_NOT_STARTED, PODS_NOT_MADE];

/** `TYPE REASON` of a condition, as far as there is such a command. */
const COMMANDS: Readonly<Record<string, MakeCommand>> = {
  "ProviderReady SecretNotFound": (facts) => makeSecret(facts, providerSecret(facts)),
  "ProviderReady SecretKeyMissing": (facts) => setKey(facts, providerSecret(facts)),
  "SessionStoreReady SecretNotFound": (facts) => makeSecret(facts, storeSecret(facts)),
  "SessionStoreReady SecretKeyMissing": (facts) => setKey(facts, storeSecret(facts)),
  "Available PodsFailing": (facts, message) =>
    WITHOUT_A_LOG.some((words) => message.includes(words)) ? pods(facts) : logs(facts),
  "Available DeadlineExceeded": logs,
  "Available ScaledToZero": ({ name, namespace }) =>
    line("kubectl scale agentruntime", name, "--namespace", namespace, "--replicas=1"),
  "Progressing RolloutStuck": logs,
  "Progressing Unschedulable": pods,
  "Progressing ImagePull": pods,
  "Progressing Quota": ({ namespace }) =>
    line("kubectl describe resourcequota --namespace", namespace),
  "AutoscalingReady MetricsUnavailable": scaler,
  "AutoscalingReady Paused": scaler,
  "AutoscalingReady WaitingForAutoscaler": scaler,
  "SourceValid ConfigMapNotFound": ({ namespace, field }) => {
    const [name, key] = [field("source", "configMapRef", "name"), packKey(field)];
    return line("kubectl create configmap", name, "--namespace", namespace, `--from-file=${key}`);
  },
  "ToolsAvailable NoServices": ({ namespace }) =>
    line("kubectl get services --show-labels --namespace", namespace),
};

/** `undefined` where no one command helps. It never has a value of a Secret in it. */
export function cureCommand(
  condition: { readonly type: string; readonly reason: string; readonly message: string },
  facts: CommandFacts,
): string | undefined {
  const key = `${condition.type} ${condition.reason}`;
  const make = Object.hasOwn(COMMANDS, key) ? COMMANDS[key] : undefined;
  const command = make?.(facts, condition.message);
  return command?.includes(UNSET) === true ? undefined : command;
}

interface SecretKey {
  readonly name: string;
  readonly key: string;
}

function providerSecret({ field }: CommandFacts): SecretKey {
  const own = field("provider", "apiKeySecretRef", "name");
  const path = own === UNSET ? ["providerSecretRef"] : ["provider", "apiKeySecretRef"];
  return { name: field(...path, "name"), key: field(...path, "key") };
}

function storeSecret({ field }: CommandFacts): SecretKey {
  const path = ["session", "storeRef"];
  return { name: field(...path, "name"), key: field(...path, "key") };
}

function makeSecret({ namespace }: CommandFacts, { name, key }: SecretKey): string {
  const value = `--from-literal=${key}=${VALUE}`;
  return line("kubectl create secret generic", name, "--namespace", namespace, value);
}

function setKey({ namespace }: CommandFacts, { name, key }: SecretKey): string {
  const patch = `'${JSON.stringify({ stringData: { [key]: VALUE } })}'`;
  return line("kubectl patch secret", name, "--namespace", namespace, "--patch", patch);
}

function logs({ name, namespace }: CommandFacts): string {
  return line(
    "kubectl logs --namespace",
    namespace,
    selectorOf(name),
    "--tail=50 --all-containers",
  );
}

function pods({ name, namespace }: CommandFacts): string {
  return line("kubectl describe pods --namespace", namespace, selectorOf(name));
}

/** Tells in events what no condition has: which trigger fails, and what the server that it asks has answered. */
function scaler({ name, namespace, field }: CommandFacts, message: string): string | undefined {
  if ([NO_PROMETHEUS, NO_REQUEST].some((words) => message.includes(words))) return undefined;
  const kind = field("autoscaling", "type") === "keda" ? "scaledobject" : "hpa";
  return line("kubectl describe", kind, name, "--namespace", namespace);
}

function selectorOf(name: string): string {
  return `--selector=app.kubernetes.io/component=agent,app.kubernetes.io/instance=${name}`;
}

function packKey(field: ReadField): string {
  const key = field("source", "configMapRef", "key");
  return key === UNSET ? "promptpack.json" : key;
}

function line(...words: readonly string[]): string {
  return words.join(" ");
}
