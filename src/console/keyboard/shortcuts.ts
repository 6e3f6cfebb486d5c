/** The keys of the page: one listener for all, and what each key does now. Keys that are typed into a field are the field's. */
import { useEffect, useEffectEvent } from "react";

export interface Shortcut {
  /** As people read them: `/`, `g a`, `Mod+k`, `Ctrl+Enter`, `Escape`. `Mod` is ⌘ on a Mac and Ctrl elsewhere. */
  readonly keys: string;
  readonly description: string;
  /** Whether it works while one types into a field. */
  readonly inFields?: boolean | undefined;
}

interface Bound extends Shortcut {
  /** Returns `false` for a key that it has no use for now, which then goes on to what was bound before. */
  readonly run: () => boolean | void;
}

const bound: Bound[] = [];
/** The first key of two, until the second one comes or the time is over. */
let pending: { key: string; at: number } | undefined;
const SEQUENCE_MS = 1_500;

/** Binds keys as long as the component is shown. What was bound last comes first. */
export function useShortcut(shortcut: Shortcut, run: () => boolean | void): void {
  const onRun = useEffectEvent(run);
  const { keys, description, inFields } = shortcut;
  useEffect(() => {
    const entry: Bound = { keys, description, inFields, run: () => onRun() };
    bound.push(entry);
    return () => void bound.splice(bound.indexOf(entry), 1);
  }, [keys, description, inFields]);
}

/** What can be pressed now. */
export function currentShortcuts(): readonly Shortcut[] {
  const seen = new Map<string, Shortcut>();
  for (const one of bound) seen.set(one.keys, one);
  return [...seen.values()];
}

/** Returns whether a key was used. `now` is in milliseconds, and only differences mean something. */
export function pressKey(event: KeyboardEvent, now: number): boolean {
  if (event.isComposing || event.defaultPrevented) return false;
  const key = keyName(event);
  const sequence =
    pending !== undefined && now - pending.at <= SEQUENCE_MS ? `${pending.key} ${key}` : undefined;
  pending = undefined;
  const isField = isEditable(event.target);
  const candidates = bound.filter(({ inFields }) => !isField || inFields === true).toReversed();
  const matches = candidates.filter(({ keys }) => keys === sequence || keys === key);
  for (const { run } of matches) {
    if (run() === false) continue;
    event.preventDefault();
    return true;
  }
  if (candidates.some(({ keys }) => keys.startsWith(`${key} `))) pending = { key, at: now };
  return false;
}

function keyName(event: KeyboardEvent): string {
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  if (event.altKey) return `Alt+${key}`;
  if (key === "Enter") return event.ctrlKey || event.metaKey ? "Ctrl+Enter" : "Enter";
  return event.ctrlKey || event.metaKey ? `Mod+${key}` : key;
}

function isEditable(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement &&
    (target.isContentEditable || target.matches("input, textarea, select"))
  );
}
