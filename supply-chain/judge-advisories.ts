/** What npm says about the whole lock file, narrowed to the packages that users run. */
import * as z from "zod";

const SEVERITIES = ["info", "low", "moderate", "high", "critical"] as const;
type Severity = (typeof SEVERITIES)[number];

export interface Advisory {
  readonly package: string;
  readonly severity: Severity;
  readonly title: string;
  readonly url: string;
}

export type Verdict =
  | { readonly checked: true; readonly advisories: readonly Advisory[]; readonly failed: boolean }
  | { readonly checked: false; readonly reason: string };

/** What `npm audit --json` prints. In `via` a text is the name of a dependency that is the one with the weakness. */
const auditReport = z.object({
  vulnerabilities: z.record(
    z.string(),
    z.object({
      nodes: z.array(z.string()),
      via: z.array(
        z.union([
          z.string(),
          z.object({ title: z.string(), url: z.string(), severity: z.enum(SEVERITIES) }),
        ]),
      ),
    }),
  ),
});
const auditFailure = z.object({ message: z.string() });

/** `output` is what npm printed, and `bundled` the keys of packages in the lock file. */
export function judgeAdvisories(output: string, bundled: ReadonlySet<string>): Verdict {
  let printed: unknown;
  try {
    printed = JSON.parse(output);
  } catch {
    return { checked: false, reason: "npm printed no report" };
  }
  const report = auditReport.safeParse(printed);
  if (!report.success) {
    const { message = "npm printed a report of another form" } =
      auditFailure.safeParse(printed).data ?? {};
    return { checked: false, reason: message };
  }
  const advisories = Object.entries(report.data.vulnerabilities)
    .filter(([, { nodes }]) => nodes.some((node) => bundled.has(node)))
    .flatMap(([name, { via }]) =>
      via.flatMap((cause) => (typeof cause === "string" ? [] : [{ package: name, ...cause }])),
    )
    .toSorted((a, b) => SEVERITIES.indexOf(b.severity) - SEVERITIES.indexOf(a.severity));
  const failed = advisories.some(({ severity }) => severity === "high" || severity === "critical");
  return { checked: true, advisories, failed };
}
