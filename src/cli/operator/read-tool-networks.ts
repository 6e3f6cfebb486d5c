import { networkProblem } from "../../network/address-verdict.ts";
import { CliError, EXIT_CODES } from "../terminal/cli-error.ts";

const MAX_NETWORKS = 256;

/** The values of `--allowed-tool-networks`. Throws a CliError that names the one that is wrong. */
export function readToolNetworks(networks: readonly string[]): readonly string[] {
  if (networks.length > MAX_NETWORKS) throw wrong(`more than ${MAX_NETWORKS} networks`);
  for (const network of networks) {
    const problem = networkProblem(network);
    if (problem !== undefined) throw wrong(`${JSON.stringify(network)} ${problem}`);
  }
  return networks;
}

function wrong(why: string): CliError {
  return new CliError(`--allowed-tool-networks: ${why}.`, {
    cure: "Give networks with the length of their prefix, separated by commas.",
    exitCode: EXIT_CODES.usage,
  });
}
