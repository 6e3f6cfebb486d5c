/** A registry: each tool, whether it can be called, and a place to call it. */
import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { registryQuery } from "../api/queries.ts";
import { ResourcePage } from "../resource/resource-page.tsx";
import { Section } from "../resource/section.tsx";
import { ToolEntry } from "./tool-entry.tsx";
import styles from "./tools.module.css";

const route = getRouteApi("/tools/$namespace/$name");

export function RegistryPage() {
  const { namespace, name } = route.useParams();
  const { tool: open } = route.useSearch();
  const navigate = route.useNavigate();
  const registry = useQuery(registryQuery(namespace, name));
  return (
    <ResourcePage namespace={namespace} name={name} query={registry}>
      {({ tools }) => (
        <Section title="Tools">
          {tools.length === 0 ? (
            <p>It has no tools.</p>
          ) : (
            <ul className={styles.tools}>
              {tools.map((tool) => (
                <ToolEntry
                  key={tool.name}
                  tool={tool}
                  isOpen={tool.name === open}
                  onToggle={(isOpen) =>
                    void navigate({
                      search: isOpen ? { tool: tool.name } : {},
                      replace: true,
                      resetScroll: false,
                    })
                  }
                />
              ))}
            </ul>
          )}
        </Section>
      )}
    </ResourcePage>
  );
}
