import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { references } from "./references.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));

test.each(Object.entries(references()))(
  "%s says what the code knows (`npm run generate` brings it up to date)",
  async (path, text) => {
    expect(await readFile(root + path, "utf8")).toBe(text);
  },
);
