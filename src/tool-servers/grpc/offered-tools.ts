import type { DescService } from "@bufbuild/protobuf";
import type { ToolConfig } from "../../agent-config/agent-config.ts";
import type { UnsupportedTool } from "../server/read-list.ts";
import type { ListedTool } from "../server/tool-server.ts";
import { commentOf } from "./comments.ts";
import { argumentsSchema } from "./message-schema.ts";
import { type CalledMethod, fullName, offeredMethods } from "./offered-methods.ts";

/** The methods that are offered, as they are described to a model. */
export function offeredTools(
  services: readonly DescService[],
  { description, allow, block }: Pick<ToolConfig, "description" | "allow" | "block">,
): {
  readonly listed: readonly ListedTool[];
  readonly methods: ReadonlyMap<string, CalledMethod>;
  readonly unsupported: readonly UnsupportedTool[];
  readonly notes: readonly string[];
} {
  const { methods, unsupported, notes } = offeredMethods(services, { allow, block });
  const listed = [...methods].map(([name, method]) => ({
    name,
    description: commentOf(method) ?? `${description} (${fullName(method)})`,
    inputSchema: argumentsSchema(method.input),
  }));
  return { listed, methods, unsupported, notes };
}
