import type { ReactNode } from "react";
import styles from "./resource.module.css";

/** The name of a resource, and beside it what is known of it at a look. */
export function Heading({
  namespace,
  name,
  children,
}: {
  namespace: string;
  name: string;
  children?: ReactNode;
}) {
  return (
    <div className={styles.heading}>
      <h1>{name}</h1>
      <span className={styles.quiet}>{namespace}</span>
      {children}
    </div>
  );
}
