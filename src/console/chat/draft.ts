/** What was typed and not sent. It stays through a reload of the page, in its tab alone. */

/** In characters. What is longer is not kept. */
const MAX_DRAFT_LENGTH = 65_536;

export interface DraftStore {
  getItem(key: string): string | null;
  setItem(key: string, value: string): void;
  removeItem(key: string): void;
}

export function readDraft(store: DraftStore, about: string): string {
  return store.getItem(keyOf(about)) ?? "";
}

export function keepDraft(store: DraftStore, about: string, draft: string): void {
  if (draft === "" || draft.length > MAX_DRAFT_LENGTH) {
    store.removeItem(keyOf(about));
    return;
  }
  try {
    store.setItem(keyOf(about), draft);
  } catch {
    // The browser has no room left, so the draft lives as long as the page.
  }
}

function keyOf(about: string): string {
  return `omnia-draft:${about}`;
}
