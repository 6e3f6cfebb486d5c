/** What somebody who releases can mend: a version, a variable, a key. */
export class ReleaseError extends Error {
  override readonly name = "ReleaseError";
}
