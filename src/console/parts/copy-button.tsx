import { useEffect, useState } from "react";
import { Check, Copy, X } from "lucide-react";
import { systemClock } from "../../time/clock.ts";
import { Button } from "./button.tsx";
import { IconButton } from "./icon-button.tsx";
import { copyText } from "./copy-text.ts";

const SHOWN_MS = 2_000;

/** Copies `text`. `name` says what it is, such as "Copy the command"; it is shown beside the picture where `isNamed`. */
export function CopyButton({
  text,
  name,
  isNamed = false,
}: {
  text: string;
  name: string;
  isNamed?: boolean | undefined;
}) {
  const [outcome, setOutcome] = useState<"copied" | "failed">();
  useEffect(() => {
    if (outcome === undefined) return;
    const timer = systemClock.setTimer(SHOWN_MS, () => setOutcome(undefined));
    return () => timer.cancel();
  }, [outcome]);
  const copy = (): void => {
    void copyText(text).then((copied) => setOutcome(copied ? "copied" : "failed"));
  };
  const Icon = outcome === undefined ? Copy : outcome === "copied" ? Check : X;
  return (
    <>
      {isNamed ? (
        <Button onClick={copy}>
          <Icon aria-hidden size={15} />
          {name}
        </Button>
      ) : (
        <IconButton name={name} onClick={copy}>
          <Icon aria-hidden size={15} />
        </IconButton>
      )}
      <span className="unseen" role="status">
        {outcome === undefined ? "" : outcome === "copied" ? "Copied" : "It could not be copied"}
      </span>
    </>
  );
}
