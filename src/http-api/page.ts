import { z } from "zod";

/** A part of a list. `next` is what `after` is to be for the part that follows; without it the list ends here. */
export function pageOf<Item extends z.ZodType>(item: Item) {
  return z.object({ items: z.array(item), next: z.string().optional() });
}

export interface Page<Item> {
  items: Item[];
  next?: string | undefined;
}
