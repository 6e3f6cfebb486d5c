/** The endpoint does not do what the check says. */
export class CheckFailed extends Error {
  override readonly name = "CheckFailed";
}

/** The check cannot say anything about this endpoint. */
export class CheckSkipped extends Error {
  override readonly name = "CheckSkipped";
}

export function ensure(condition: boolean, otherwise: string): asserts condition {
  if (!condition) throw new CheckFailed(otherwise);
}
