// Importing the package as a whole would load the classes of the whole API, which take some ten megabytes.
import { KubeConfig } from "@kubernetes/client-node/dist/config.js";
import { CliError } from "../terminal/cli-error.ts";

/** What client-node assumes when nothing is configured. It would take whatever else listens there for a cluster. */
const ASSUMED_SERVER = "http://localhost:8080";

/**
 * Loads the configuration that kubectl would: from the named file, else from KUBECONFIG, else from the home folder, else from
 * the pod. Returns `undefined` when no cluster is configured, and throws a CliError when the configuration cannot be read.
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
