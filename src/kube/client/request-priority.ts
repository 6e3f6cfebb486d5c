/** How urgent the requests are that follow from a piece of work, however deep below it they are sent. */
import { AsyncLocalStorage } from "node:async_hooks";
import type { Priority } from "./rate-limiter.ts";

const current = new AsyncLocalStorage<Priority>();

/** What `work` sends waits with this priority for the rate limit, unless the client itself sends everything later. */
export function withRequestPriority<Result>(priority: Priority, work: () => Result): Result {
  return current.run(priority, work);
}

/** Outside of any piece of work nothing is known to be less urgent. */
export function requestPriority(): Priority {
  return current.getStore() ?? "now";
}
