/** Why `omnia up` cannot start or go on: a sentence for the user, and the one thing to do about it. */
export class UpError extends Error {
  override readonly name = "UpError";
  readonly cure: string;

  constructor(message: string, cure: string, options: { cause?: unknown } = {}) {
    super(message, options);
    this.cure = cure;
  }
}
