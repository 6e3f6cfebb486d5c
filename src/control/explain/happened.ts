/** Something that happened to a resource, as an event tells it. */
import type { OmniaKind } from "../../api/group.ts";
import type { ObjectName } from "../object-name.ts";

export interface ResourceName extends ObjectName {
  readonly kind: OmniaKind;
}

export interface Happened {
  /** `Warning` means that somebody has to do something. */
  readonly type: "Normal" | "Warning";
  /** One word for programs. */
  readonly reason: string;
  readonly message: string;
}
