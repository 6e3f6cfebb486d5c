// Not from the package as a whole: that would load the classes of the whole API, some ten megabytes.
import { KubeConfig } from "@kubernetes/client-node/dist/config.js";
import { CliError } from "../terminal/cli-error.ts";

/** What client-node assumes when nothing is configured. It would take whatever else listens there for a cluster. */
const ASSUMED_SERVER = "http://localhost:8080";

/**
 * As kubectl finds it: the file that is named, else KUBECONFIG, else the one in the home folder, else that of the pod. Answers
 * `undefined` when no cluster is configured; throws CliError when what is configured cannot be read.
 */
export function loadKubeConfig(
  options: { file?: string | undefined; context?: string | undefined; cure?: string } = {},
): KubeConfig | undefined {
  const kubeConfig = new KubeConfig();
  try {
    if (options.file === undefined) kubeConfig.loadFromDefault();
    else kubeConfig.loadFromFile(options.file);
  } catch (error) {
    throw new CliError(`The kubeconfig cannot be read: ${(error as Error).message}`, {
      cure: options.cure,
      cause: error,
    });
  }
  if (options.context !== undefined) {
    const names = kubeConfig.getContexts().map(({ name }) => name);
    if (!names.includes(options.context)) {
      const known = names.length === 0 ? "none" : names.join(", ");
      throw new CliError(`The kubeconfig has no context "${options.context}" (it has: ${known}).`);
    }
    kubeConfig.setCurrentContext(options.context);
  }
  const cluster = kubeConfig.getCurrentCluster();
  return cluster === null || cluster.server === ASSUMED_SERVER ? undefined : kubeConfig;
}
