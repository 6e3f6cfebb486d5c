/** A pack: its canary, its versions, and the difference of two of them. */
import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { packQuery } from "../api/queries.ts";
import { ResourcePage } from "../resource/resource-page.tsx";
import { Section } from "../resource/section.tsx";
import { CanaryTable } from "./canary-table.tsx";
import { Comparison } from "./comparison.tsx";
import { Versions } from "./versions.tsx";

const route = getRouteApi("/packs/$namespace/$name");

export function PackPage() {
  const { namespace, name } = route.useParams();
  const { a, b } = route.useSearch();
  const pack = useQuery(packQuery(namespace, name));
  return (
    <ResourcePage namespace={namespace} name={name} query={pack}>
      {(detail) => (
        <>
          {detail.canary === undefined ? undefined : (
            <Section title="Canary">
              <CanaryTable pack={detail} />
            </Section>
          )}
          <Section title="Versions">
            <Versions pack={detail} a={a} b={b} />
          </Section>
          {a === undefined || b === undefined ? undefined : (
            <Section title="Difference">
              <Comparison pack={detail} a={a} b={b} />
            </Section>
          )}
        </>
      )}
    </ResourcePage>
  );
}
