import { describe, expect, it } from "vitest";
import { readProviderKey } from "./provider-key.ts";

const config = { apiKeyFile: "provider/api-key" };

describe("the key of a provider", () => {
  it("is what the file holds, without the line break at its end", async () => {
    const paths: string[] = [];
    const key = await readProviderKey(config, (path) => {
      paths.push(path);
      return Promise.resolve("sk-1\n");
    });
    expect(key).toBe("sk-1");
    expect(paths).toEqual(["provider/api-key"]);
  });

  it.each([
    ["\n", /empty/],
    ["sk-1\nsk-2", /blank, a line break/],
    ["sk-ключ", /another character/],
  ])("is refused when it is %j, without being quoted", async (content, message) => {
    const reading = readProviderKey(config, () => Promise.resolve(content));
    await expect(reading).rejects.toThrow(message);
    await expect(reading).rejects.not.toThrow(/sk-/);
  });

  it("is said to be missing, without the path of its file", async () => {
    const reading = readProviderKey(config, () => Promise.reject(new Error("ENOENT /etc/omnia/x")));
    await expect(reading).rejects.toThrow("the provider's API key is missing");
    await expect(reading).rejects.not.toThrow(/etc/);
  });
});
