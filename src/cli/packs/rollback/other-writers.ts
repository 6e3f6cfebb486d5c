/** Finds who else writes a ConfigMap, and would write its own text back after a rollback. */
import type { ObjectMeta } from "../../../kube/client/object.ts";

interface Writer {
  readonly name: string;
  /** What it does after the ConfigMap was changed by another. */
  readonly does: string;
}

const ARGO_CD: Writer = { name: "Argo CD", does: "may write its own text back at any time" };
const FLUX: Writer = {
  name: "Flux",
  does: "writes its own text back with its next reconciliation",
};
const FLEET: Writer = { name: "Fleet", does: "may write its own text back at any time" };
const HELM: Writer = { name: "Helm", does: "writes its own text back with the next upgrade" };
const KUBECTL: Writer = {
  name: "kubectl apply",
  does: "writes the text of its manifest back when it is run again",
};

/** Field managers. Argo CD's may have any name, and is known by its marks, too. */
const MANAGERS: readonly (readonly [RegExp, Writer])[] = [
  [/^argocd/, ARGO_CD],
  [/^(kustomize|helm|flux)-?controller$|^gotk|^flux/, FLUX],
  [/^fleet/, FLEET],
  [/^helm$/i, HELM],
  [/^kubectl-client-side-apply$|^kubectl$/, KUBECTL],
];

/** Labels and annotations. `app.kubernetes.io/instance`, which Argo CD uses too, says too little. */
const MARKS: readonly (readonly [RegExp, Writer])[] = [
  [/^argocd\.argoproj\.io\//, ARGO_CD],
  [/^(kustomize|helm)\.toolkit\.fluxcd\.io\//, FLUX],
  [/^(objectset\.rio\.cattle\.io|fleet\.cattle\.io)\//, FLEET],
  [/^meta\.helm\.sh\//, HELM],
  [/^kubectl\.kubernetes\.io\/last-applied-configuration$/, KUBECTL],
];

/** Sentences, one for each. A tool that applies what Helm or kubectl are known for is named alone. */
export function otherWriters(
  { managedFields = [], labels = {}, annotations = {} }: ObjectMeta,
  what: string,
): string[] {
  const marks = [...Object.keys(labels), ...Object.keys(annotations)];
  const found = [
    ...MANAGERS.filter(([name]) => managedFields.some(({ manager }) => name.test(manager))),
    ...MARKS.filter(([name]) => marks.some((mark) => name.test(mark))),
  ].map(([, writer]) => writer);
  if (labels["app.kubernetes.io/managed-by"] === "Helm") found.push(HELM);
  const writers = new Set(found);
  if ([ARGO_CD, FLUX, FLEET].some((tool) => writers.has(tool))) {
    writers.delete(HELM);
    writers.delete(KUBECTL);
  }
  return [...writers].map(
    ({ name, does }) => `${name} looks after ${what} and ${does}: go back in its source, too.`,
  );
}
