import { describe, expect, it } from "vitest";
import { anApi } from "../../../../test/support/builders/an-api.ts";
import {
  DescribedAnswers,
  openAPISchema,
} from "../../../../test/support/documents/openapi-answers.ts";

describe("the description of the API", () => {
  it("is an OpenAPI 3.1 document whose parameters and schemas are whole", async () => {
    const { status, body } = await anApi().json("/openapi.json");
    const document = openAPISchema.parse(body);
    expect([status, new DescribedAnswers(document).problems()]).toEqual([200, []]);
  });

  it("has every path of the API", async () => {
    const { body } = await anApi().json("/openapi.json");
    const paths = Object.entries(openAPISchema.parse(body).paths).flatMap(([path, operations]) =>
      Object.keys(operations).map((method) => `${method} ${path.replace("/api/v1alpha1", "")}`),
    );
    expect(paths).toEqual([
      "get /me",
      "get /agents",
      "get /agents/{namespace}/{name}",
      "get /packs",
      "get /packs/{namespace}/{name}",
      "get /packs/{namespace}/{name}/versions/{version}",
      "get /toolregistries",
      "get /toolregistries/{namespace}/{name}",
      "get /resources",
      "get /agents/{namespace}/{name}/sessions",
      "get /agents/{namespace}/{name}/sessions/{id}",
      "delete /agents/{namespace}/{name}/sessions/{id}",
      "post /agents/{namespace}/{name}/sessions/{id}/fork",
      "post /agents/{namespace}/{name}/tools/{tool}/call",
      "get /watch",
    ]);
  });
});
