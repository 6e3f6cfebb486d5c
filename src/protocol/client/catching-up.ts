/** The wait of a client for all that the server has to say of its session until now. */
export class CatchingUp {
  readonly #end = Promise.withResolvers<void>();
  #isListing = false;

  get promise(): Promise<void> {
    return this.#end.promise;
  }

  reject(reason: unknown): void {
    this.#end.reject(reason);
  }

  /** A `connected` has come. What waits follows it, so all of that is there with the next one. Answers whether to ask for that. */
  connected(): boolean {
    if (this.#isListing) this.#end.resolve();
    const isFirst = !this.#isListing;
    this.#isListing = true;
    return isFirst;
  }
}
