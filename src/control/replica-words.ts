/** The words by which conditions tell what is wrong with replicas, and by which the cure of a condition knows it. */

/** An object that the agent needs has the name of one of somebody else. */
export const NAME_TAKEN = "belongs to somebody else";
/** An object that the agent needs cannot be written. */
export const WRITE_REFUSED = "the API server refuses";
/** The administrator has said which images there may be, and this is none of them. */
export const IMAGE_NOT_ALLOWED = "The operator does not allow the image";
/** There is no pod at all. */
export const PODS_NOT_MADE = "pods cannot be made";
/** There is a pod whose container never began to run. */
export const CONTAINER_NOT_STARTED = "the container cannot be started";
export const IMAGE_NOT_PULLED = "cannot be pulled";
export const NODE_SILENT = "does not report its state";
/** There was a pod, and its node wanted it no more. */
export const POD_ENDED = "a pod was ended";
/** The container runs, and says of itself that it could serve no turn. */
export const RUNS_UNREADY = "a replica runs and is not ready";
/** A utilisation is a percentage of what the container requests, and this one requests nothing. */
export const NO_REQUEST = "the replicas request no";
/** The default trigger asks a Prometheus, and the operator knows none. */
export const NO_PROMETHEUS = "the operator knows no Prometheus";
/** KEDA's reason when it could not set the number of replicas. */
export const NUMBER_NOT_SET = "ErrorScalingTarget";
