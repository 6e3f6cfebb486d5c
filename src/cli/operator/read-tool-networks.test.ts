import { describe, expect, it } from "vitest";
import { CliError, EXIT_CODES } from "../terminal/cli-error.ts";
import { readToolNetworks } from "./read-tool-networks.ts";

describe("the networks that tools may be in", () => {
  it("are taken in IPv4 and IPv6", () => {
    const networks = ["10.0.0.0/8", "fd12::/16", "127.0.0.1/32"];
    expect(readToolNetworks(networks)).toEqual(networks);
    expect(readToolNetworks([])).toEqual([]);
  });

  it.each(["10.0.0.0", "private", "10.0.0.0/33", "example.com/8"])(
    "are refused with the one that is none: %s",
    (network) => {
      const read = () => readToolNetworks(["10.0.0.0/8", network]);
      expect(read).toThrow(CliError);
      expect(read).toThrow(
        `--allowed-tool-networks: "${network}" must be a network like 10.0.0.0/8 or fd00::/8.`,
      );
      expect(read).toThrow(expect.objectContaining({ exitCode: EXIT_CODES.usage }) as Error);
    },
  );

  it("are not too many", () => {
    const networks = Array.from({ length: 257 }, (_, index) => `10.0.${index % 256}.0/24`);
    expect(() => readToolNetworks(networks)).toThrow("more than 256 networks");
  });
});
