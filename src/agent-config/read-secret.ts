/** Reads a secret file. The path is relative to the folder of the agent config. */
export type ReadSecret = (relativePath: string) => Promise<string>;
