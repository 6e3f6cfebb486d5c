import { getHeapStatistics, setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import type { Heap } from "./heap-room.ts";

type Collect = (options: { type: "major"; execution: "sync"; flavor: "last-resort" }) => void;

/** The heap of V8, by flags that it reads anew each time it decides how large its heap may become. */
export function v8Heap(): Heap {
  let growth: number | undefined;
  return {
    usedBytes: () => getHeapStatistics().used_heap_size,
    activeMs: () => performance.eventLoopUtilization().active,
    growBy(percent) {
      if (percent === growth) return;
      growth = percent;
      setFlagsFromString(percent === 0 ? "--optimize-for-size" : "--no-optimize-for-size");
      setFlagsFromString(`--heap-growing-percent=${percent}`);
    },
    collect: () => collector()({ type: "major", execution: "sync", flavor: "last-resort" }),
  };
}

/** V8 gives its collector to contexts that are made while it is exposed. */
function collector(): Collect {
  setFlagsFromString("--expose-gc");
  try {
    return runInNewContext("gc") as Collect;
  } finally {
    setFlagsFromString("--no-expose-gc");
  }
}
