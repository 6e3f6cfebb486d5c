import { type Document, isMap, isPair, isScalar, isSeq, Scalar, type YAMLError } from "yaml";

/** Every scalar of a document, in no particular order. The document may be nested to any depth and have errors. */
export function scalarsOf(document: Document.Parsed): Scalar[] {
  const scalars: Scalar[] = [];
  const left: unknown[] = [document.contents];
  while (left.length > 0) {
    const node = left.pop();
    if (isScalar(node)) scalars.push(node);
    else if (isPair(node)) left.push(node.key, node.value);
    else if (isMap(node) || isSeq(node)) for (const item of node.items) left.push(item);
  }
  return scalars;
}

/** Where to look for the cause of an error: a quote that is never closed is missed at the end of the text. */
export function placeOf(error: YAMLError, document: Document.Parsed): number {
  const [place] = error.pos;
  if (error.code !== "MISSING_CHAR" || !/^Missing closing ["']quote/.test(error.message)) {
    return place;
  }
  const opened = scalarsOf(document).find(
    ({ type, range }) =>
      (type === Scalar.QUOTE_DOUBLE || type === Scalar.QUOTE_SINGLE) && range?.[1] === place,
  );
  return opened?.range?.[0] ?? place;
}
