/** The variables that name a runtime in another framework, which answers in place of a model provider. */

export const RUNTIME_COMMAND = "OMNIA_RUNTIME_COMMAND";
export const RUNTIME_URL = "OMNIA_RUNTIME_URL";
export const RUNTIME_MODULE = "OMNIA_RUNTIME";
/** Each of them names a runtime. No more than one of them may be set. */
export const RUNTIME_SOURCES = [RUNTIME_COMMAND, RUNTIME_URL, RUNTIME_MODULE] as const;
export const RUNTIME_PROTOCOL = "OMNIA_RUNTIME_PROTOCOL";
export const RUNTIME_PROTOCOLS = ["ag-ui", "omnia.runtime.v1"] as const;
export const RUNTIME_PATH = "OMNIA_RUNTIME_PATH";
export const RUNTIME_HEALTH_PATH = "OMNIA_RUNTIME_HEALTH_PATH";

/** Whether one of the variables names a runtime. */
export function namesRuntime(variables: readonly { name: string }[] | undefined): boolean {
  const sources: readonly string[] = RUNTIME_SOURCES;
  return variables?.some(({ name }) => sources.includes(name)) ?? false;
}
