/** What a promise is rejected with; for a rejection that is to be looked at later than it may come. */
export async function rejectionOf(promise: Promise<unknown>): Promise<unknown> {
  let value: unknown;
  try {
    value = await promise;
  } catch (error) {
    return error;
  }
  throw new Error(`expected a rejection, and got ${JSON.stringify(value)}`);
}
