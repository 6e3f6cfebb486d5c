import { quantityValue } from "./quantity.ts";

/** In these maps one more key means another selection, another limit or another file, so they are compared as a whole. */
const EXACT_MAPS = new Set([
  "data",
  "limits",
  "matchLabels",
  "nodeSelector",
  "requests",
  "selector",
]);

/**
 * Whether `live` has every field of `wanted` with the same value. Fields that only `live` has do not count: they are defaults, or
 * others manage them. Lists must match item by item, and so must maps to which one more key gives another meaning (`isExact`).
 * Quantities are compared by value ("1000m" is "1").
 */
export function holds(live: unknown, wanted: unknown, isExact = false): boolean {
  if (Object.is(live, wanted) || wanted === undefined) return true;
  if (Array.isArray(wanted)) {
    if (!Array.isArray(live)) return wanted.length === 0 && live === undefined;
    if (live.length !== wanted.length) return false;
    for (let index = 0; index < wanted.length; index += 1) {
      if (!holds(live[index], wanted[index])) return false;
    }
    return true;
  }
  if (typeof wanted === "object" && wanted !== null) {
    // The API server drops empty maps.
    if (live === undefined) return Object.values(wanted).every((value) => value === undefined);
    if (!isMap(live)) return false;
    if (isExact && Object.keys(live).some((name) => !(name in wanted))) return false;
    // Without pairs and functions, because it is done for every field of every object of every agent again and again.
    for (const name of Object.keys(wanted)) {
      const field = (wanted as Record<string, unknown>)[name];
      if (!holds(live[name], field, EXACT_MAPS.has(name))) return false;
    }
    return true;
  }
  // It drops empty strings too.
  if (wanted === "") return live === undefined;
  if (typeof live === "string" && (typeof wanted === "string" || typeof wanted === "number")) {
    const value = quantityValue(live);
    return value !== undefined && value === quantityValue(String(wanted));
  }
  return false;
}

/** The merge patch after which `live` holds `wanted`. */
export function correctionOf(live: unknown, wanted: unknown, isExact = false): unknown {
  if (!isMap(live) || !isMap(wanted)) return wanted;
  const patch: Record<string, unknown> = {};
  if (isExact) {
    for (const name of Object.keys(live)) if (!(name in wanted)) patch[name] = null;
  }
  for (const [name, value] of Object.entries(wanted)) {
    const exact = EXACT_MAPS.has(name);
    if (!holds(live[name], value, exact)) patch[name] = correctionOf(live[name], value, exact);
  }
  return patch;
}

export function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
