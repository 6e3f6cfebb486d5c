/** What the handlers of the API are given. */
import type { HttpBindings } from "@hono/node-server";
import type { OpenAPIHono } from "@hono/zod-openapi";
import type { Schema } from "hono";
import type { Log } from "../../../observability/log.ts";
import type { Clock } from "../../../time/clock.ts";
import type { ApiGateway } from "../../api-handler.ts";
import type { Callers } from "../../caller.ts";
import type { ResourceSource } from "../../resource-source.ts";
import type { SignRequest } from "../../sign-request.ts";
import type { CallerRights } from "./caller-rights.ts";

export interface ApiParts {
  readonly source: ResourceSource;
  readonly callers: Callers;
  /** The gateway that the API is a part of. */
  readonly gateway: ApiGateway;
  /** The version of the program. */
  readonly version: string;
  /** Names the stream of changes of this gateway. Another one, and this one after a restart, have another name. */
  readonly streamId: string;
  /** Undefined where agents do not know the gateway, which so cannot ask for their sessions. */
  readonly signRequest?: SignRequest | undefined;
  readonly clock: Clock;
  readonly log: Log;
}

export interface ApiEnvironment {
  Bindings: Partial<HttpBindings>;
  Variables: { rights: CallerRights };
}

export type ApiApp = OpenAPIHono<ApiEnvironment, Schema, string>;
