/** The words by which conditions tell what is wrong with replicas, and by which the cure of a condition knows it. */

/** There is no pod at all. */
export const PODS_NOT_MADE = "pods cannot be made";
/** There is a pod whose container never began to run. */
export const CONTAINER_NOT_STARTED = "the container cannot be started";
export const IMAGE_NOT_PULLED = "cannot be pulled";
export const NODE_SILENT = "does not report its state";
/** The container runs, and says of itself that it could serve no turn. */
export const RUNS_UNREADY = "a replica runs and is not ready";
