/** The laws of docs/architecture.md, held against every file of this repository. */
import { expect, test } from "vitest";
import { readRepository, readTables } from "./architecture/repository.ts";
import * as rules from "./architecture/rules.ts";

const files = readRepository();
const tables = readTables();

test("the rules saw the repository: files, imports of every kind, tables", () => {
  const imports = files.flatMap((file) => file.imports);
  expect(files.length).toBeGreaterThan(100);
  expect(imports.filter((each) => each.target).length).toBeGreaterThan(200);
  expect(imports.filter((each) => each.specifier.startsWith("node:")).length).toBeGreaterThan(20);
  expect(files.some((file) => file.imports.some((each) => each.specifier === "#source"))).toBe(true);
  expect(tables.get("users")).toBe("access");
});

test.each([
  ["every import leads to a file", rules.importsExist],
  ["folders import only what their row allows", rules.foldersKeepToTheirTable],
  ["modules ask upstream, at the door", rules.modulesAskUpstreamAtTheDoor],
  ["every module has a place in the order", rules.modulesHaveAPlaceInTheOrder],
  ["cores, pipeline and stack are pure", rules.coresArePure],
  ["api imports zod alone", rules.apiImportsOnlyZod],
  ["SQL stays in stores", rules.sqlStaysInStores],
  ["no import leads in a circle", rules.noCircles],
  ["no file has more than 400 lines", rules.noFileIsLong],
])("%s", (_, rule) => {
  expect(rule(files)).toEqual([]);
});

test("a store names only tables of its own module", () => {
  expect(rules.storesNameTheirOwnTables(files, tables)).toEqual([]);
});
