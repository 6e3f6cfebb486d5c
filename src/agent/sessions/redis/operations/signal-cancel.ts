import { defineOperation } from "../script/operation.ts";
import { ENTRY_KINDS } from "../script/stream-entry.ts";

/** How long a signal is kept, in milliseconds: longer than any process takes to read it. */
const SIGNAL_TTL_MS = 60_000;
/** About how many signals to one process are kept. */
const MAX_SIGNALS = 1_024;

/** Tells a process that one of its turns is to be cancelled, by its stream of signals, which is the only key. */
export const signalCancel = defineOperation({
  keys: ["signalsKey"],
  arguments: { signalTtl: "number", maxSignals: "number", turnId: "text" },
  lua: `
redis.call('XADD', signalsKey, 'MAXLEN', '~', maxSignals, '*', '${ENTRY_KINDS.cancel}', turnId)
return redis.call('PEXPIRE', signalsKey, signalTtl)
`,
  encode: ({ turnId }: { turnId: string }) => ({
    signalTtl: SIGNAL_TTL_MS,
    maxSignals: MAX_SIGNALS,
    turnId,
  }),
  read: (): void => {},
});
