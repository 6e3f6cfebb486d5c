/** What a runtime is told that calls a tool for which somebody has to be asked. The turn cannot end in the middle of its step. */
export const APPROVAL_NEEDED =
  "not called: the call needs the approval of a person, and a call that is made in this way cannot wait for it";
