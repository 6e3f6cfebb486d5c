/** Says why a container does not run, in words that stay the same while the kubelet tries again and again. */
import { CONTAINER_NOT_STARTED, IMAGE_NOT_PULLED } from "../../../control/replica-words.ts";
import type { PodObject } from "../../cluster/kubernetes-objects.ts";
import { AGENT_CONTAINER } from "../../../api/pod-template.ts";
import { lastWords } from "../../../observability/log-line.ts";
import { stableMessage } from "./stable-message.ts";

type ContainerStatus = NonNullable<NonNullable<PodObject["status"]>["containerStatuses"]>[number];
type Terminated = NonNullable<NonNullable<ContainerStatus["lastState"]>["terminated"]>;

const IMAGE_FAILURES: readonly string[] = [
  "ErrImagePull",
  "ImagePullBackOff",
  "InvalidImageName",
  "ErrImageNeverPull",
  "ImageInspectError",
  "RegistryUnavailable",
  "SignatureValidationFailed",
];
/** Reasons that hardly pass by waiting. */
const START_FAILURES: readonly string[] = [
  "CreateContainerConfigError",
  "CreateContainerError",
  "PreCreateHookError",
  "PreStartHookError",
  "PostStartHookError",
  "RunContainerError",
];
/** The same for a container that was made: it has ended without having run. */
const START_ENDS: readonly string[] = ["StartError", "ContainerCannotRun"];

export interface ContainerFailure {
  readonly message: string;
  /** The image cannot be had. Nothing is known of the container then. */
  readonly isOfImage: boolean;
}

/** `undefined`: the container is ready, or may become so. */
export function containerFailure(status: ContainerStatus): ContainerFailure | undefined {
  const failure = failureOf(status);
  if (failure === undefined) return undefined;
  const isOfImage = IMAGE_FAILURES.includes(status.state?.waiting?.reason ?? "");
  const message =
    status.name === AGENT_CONTAINER ? failure : `container "${status.name}": ${failure}`;
  return { message, isOfImage };
}

function failureOf({ ready, started, state, lastState }: ContainerStatus): string | undefined {
  if (ready) return undefined;
  const { reason = "", message = "" } = state?.waiting ?? {};
  if (IMAGE_FAILURES.includes(reason)) return imageFailure(message);
  if (START_FAILURES.includes(reason)) return startFailure(message || reason);
  const ended = state?.terminated ?? lastState?.terminated;
  // It has started again since it ended, and is not ready for another reason.
  if (state?.running !== undefined && started === true) return undefined;
  // A container that runs for a moment between two tries has not recovered.
  if (ended !== undefined) return endOf(ended);
  return reason === "CrashLoopBackOff" ? "the container ends again and again" : undefined;
}

/** The kubelet reports the failed pull and the pause after it by turns, so only what both have in common is said. */
function imageFailure(message: string): string {
  const [, image, cause = ""] =
    /^Back-off pulling image ("[^"]*")(?:: ErrImagePull: )?(.*)$/s.exec(message) ?? [];
  const why = stableMessage(image === undefined ? message : cause);
  if (why !== "") return `the image ${IMAGE_NOT_PULLED}: ${why}`;
  return `${image === undefined ? "the image" : `image ${image}`} ${IMAGE_NOT_PULLED}`;
}

function startFailure(message: string): string {
  return `${CONTAINER_NOT_STARTED}: ${stableMessage(message)}`;
}

function endOf({ exitCode, reason, message = "", signal }: Terminated): string {
  if (reason === "OOMKilled") {
    return "the container took more memory than its limit and was ended (OOMKilled); raise spec.resources.limits.memory";
  }
  if (START_ENDS.includes(reason ?? "")) return startFailure(message || (reason ?? ""));
  const words = stableMessage(lastWords(message) ?? "");
  const how = signal === undefined || signal === 0 ? `exit code ${exitCode}` : `signal ${signal}`;
  return words === "" ? `the container ended with ${how}` : `${words} (${how})`;
}
