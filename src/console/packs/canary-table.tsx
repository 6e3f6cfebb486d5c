import type { PackView } from "../../http-api/pack-views.ts";
import { tookText } from "../parts/duration-text.ts";
import { canaryFigures, percentText } from "./canary-figures.ts";
import styles from "./packs.module.css";

/** What was wanted of a canary beside what was seen. */
export function CanaryTable({ pack }: { pack: PackView }) {
  return (
    <div className={styles.frame} role="group" aria-label="Canary in figures" tabIndex={0}>
      <table className={styles.figures}>
        <thead>
          <tr>
            <th scope="col">Version</th>
            <th scope="col">New sessions wanted</th>
            <th scope="col">Seen</th>
            <th scope="col">Sessions</th>
            <th scope="col">Turns</th>
            <th scope="col">Errors</th>
            <th scope="col">First chunk (p50)</th>
          </tr>
        </thead>
        <tbody>
          {canaryFigures(pack).map((figures) => (
            <tr key={figures.version}>
              <th scope="row">
                {figures.version}
                <span className={styles.quiet}>{figures.isCanary ? " canary" : " active"}</span>
              </th>
              <td>
                {percentText(figures.wanted)} <Share of={figures.wanted} look="wanted" />
              </td>
              <td>
                {percentText(figures.observed)} <Share of={figures.observed} look="seen" />
              </td>
              <td>{figures.sessions ?? "–"}</td>
              <td>{figures.turns ?? "–"}</td>
              <td>{percentText(figures.errors)}</td>
              <td>
                {figures.p50FirstChunkMs === undefined ? "–" : tookText(figures.p50FirstChunkMs)}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Share({ of, look }: { of: number | undefined; look: "wanted" | "seen" }) {
  if (of === undefined) return undefined;
  return (
    <svg className={styles.share} data-look={look} viewBox="0 0 100 8" aria-hidden>
      <rect width="100" height="8" rx="4" className={styles.track} />
      <rect width={of} height="8" rx="4" className={styles.bar} />
    </svg>
  );
}
