import { useMemo } from "react";
import { useQuery } from "@tanstack/react-query";
import type { PackDetail, PackDocument } from "../../http-api/pack-views.ts";
import { packDocumentQuery } from "../api/queries.ts";
import { Difference } from "../difference/difference.tsx";
import { Badge } from "../parts/badge.tsx";
import type { Tone } from "../parts/tone.ts";
import { Loaded } from "../resource/loaded.tsx";
import { compareDocuments, type ComparedPart } from "./compare-documents.ts";
import styles from "./packs.module.css";

const TONES: Record<ComparedPart["kind"], Tone> = {
  changed: "warn",
  added: "good",
  removed: "bad",
  same: "quiet",
};

/** The difference of two versions, prompt by prompt. */
export function Comparison({
  pack: { namespace, name },
  a,
  b,
}: {
  pack: PackDetail;
  a: string;
  b: string;
}) {
  const left = useQuery(packDocumentQuery(namespace, name, a));
  const right = useQuery(packDocumentQuery(namespace, name, b));
  return (
    <Loaded query={left}>
      {(before) => (
        <Loaded query={right}>{(after) => <Parts left={before} right={after} />}</Loaded>
      )}
    </Loaded>
  );
}

function Parts({ left, right }: { left: PackDocument; right: PackDocument }) {
  const parts = useMemo(
    () => compareDocuments(left.document, right.document),
    [left.document, right.document],
  );
  if (parts.every(({ kind }) => kind === "same")) return <p role="status">They are the same.</p>;
  return parts.map((part) => (
    <details key={part.name} className={styles.part} open={part.kind !== "same"}>
      <summary>
        {part.name} <Badge tone={TONES[part.kind]}>{part.kind}</Badge>
      </summary>
      <Difference left={part.left} right={part.right} label={`Difference of: ${part.name}`} />
    </details>
  ));
}
