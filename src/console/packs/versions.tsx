import { useNavigate } from "@tanstack/react-router";
import type { PackDetail, PackVersionView } from "../../http-api/pack-views.ts";
import { Age } from "../parts/age.tsx";
import { Badge } from "../parts/badge.tsx";
import type { Tone } from "../parts/tone.ts";
import { AgentLinks } from "../resource/agent-links.tsx";
import styles from "./packs.module.css";

const TONES: Record<PackVersionView["state"], Tone> = {
  active: "good",
  canary: "warn",
  kept: "quiet",
};

/** The versions that are kept, and the choice of two of them to compare. */
export function Versions({
  pack: { namespace, name, versions },
  a,
  b,
}: {
  pack: PackDetail;
  a: string | undefined;
  b: string | undefined;
}) {
  const navigate = useNavigate();
  const choose = (search: { a: string | undefined; b: string | undefined }): void => {
    void navigate({
      to: "/packs/$namespace/$name",
      params: { namespace, name },
      search,
      replace: true,
    });
  };
  const active = versions.find(({ state }) => state === "active")?.hash;
  const other = versions.find(({ state, hash }) => state === "canary" || hash !== active)?.hash;
  return (
    <>
      <div className={styles.frame} role="group" aria-label="Versions" tabIndex={0}>
        <table className={styles.figures}>
          <thead>
            <tr>
              <th scope="col">Version</th>
              <th scope="col">State</th>
              <th scope="col">Accepted</th>
              <th scope="col">Agents</th>
            </tr>
          </thead>
          <tbody>
            {versions.map((version) => (
              <tr key={version.hash}>
                <th scope="row">
                  {version.version ?? version.hash}{" "}
                  <code className={styles.quiet}>{version.hash}</code>
                </th>
                <td>
                  <Badge tone={TONES[version.state]}>{version.state}</Badge>
                </td>
                <td>
                  <Age at={version.keptAt} />
                </td>
                <td>
                  <AgentLinks agents={version.agents} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {versions.length < 2 ? undefined : (
        <div className={styles.compare}>
          <VersionSelect
            label="Compare"
            versions={versions}
            chosen={a}
            onChoose={(hash) => choose({ a: hash, b: b ?? (hash === active ? other : active) })}
          />
          <span>with</span>
          <VersionSelect
            label="with"
            versions={versions}
            chosen={b}
            onChoose={(hash) => choose({ a: a ?? (hash === active ? other : active), b: hash })}
          />
        </div>
      )}
    </>
  );
}

function VersionSelect({
  label,
  versions,
  chosen,
  onChoose,
}: {
  label: string;
  versions: readonly PackVersionView[];
  chosen: string | undefined;
  onChoose: (hash: string | undefined) => void;
}) {
  return (
    <select
      aria-label={label}
      value={chosen ?? ""}
      onChange={(event) => onChoose(event.target.value || undefined)}
    >
      <option value="">a version</option>
      {versions.map(({ hash, version, state }) => (
        <option key={hash} value={hash}>
          {version ?? hash} ({state})
        </option>
      ))}
    </select>
  );
}
