/**
 * Joins the two halves of a character that came in two pieces of a text, so that every piece that is passed on is well-formed
 * Unicode. A half that is followed by something else becomes U+FFFD; one at the end of the text is left out.
 */
export class WholeCharacters {
  #half = "";

  take(piece: string): string {
    const text = this.#half + piece;
    const last = text.charCodeAt(text.length - 1);
    const isHalf = last >= 0xd800 && last <= 0xdbff;
    this.#half = isHalf ? text.slice(-1) : "";
    return (isHalf ? text.slice(0, -1) : text).toWellFormed();
  }
}
