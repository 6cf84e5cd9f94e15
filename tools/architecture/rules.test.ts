/** A rule that never fires proves nothing: each is shown one repository that breaks it. */
import { expect, test } from "vitest";
import * as rules from "./rules.ts";
import { importsIn, resolveImport, type SourceFile } from "./source-file.ts";

const aliases = { "#api/*": "./api/*", "#kernel/*": "./server/kernel/*", "#*": "./server/modules/*/index.ts" };

/** Files of a made-up repository: path → text. */
function repository(texts: Record<string, string>): SourceFile[] {
  return Object.entries(texts).map(([path, text]) => {
    const imports = importsIn(text).map((found) => ({ ...found, ...resolveImport(found.specifier, path, aliases) }));
    return { path, text, imports, unresolved: imports.filter(({ target }) => target && !(target in texts)) };
  });
}

test("imports are found in every form", () => {
  const text = `import a from "a";\nimport { b,\n  type B } from "./b.ts";\nimport type { C } from "c";
export * from "d";\nimport "e";\nconst f = await import("f");\n`;
  expect(importsIn(text).map((each) => each.specifier)).toEqual(["a", "./b.ts", "c", "d", "e", "f"]);
  expect(
    importsIn(text)
      .filter((each) => each.typeOnly)
      .map((each) => each.specifier),
  ).toEqual(["c"]);
});

test("aliases and relative paths lead to files", () => {
  expect(resolveImport("#kernel/log.ts", "server/main.ts", aliases)).toEqual({ target: "server/kernel/log.ts" });
  expect(resolveImport("#source", "server/main.ts", aliases)).toEqual({ target: "server/modules/source/index.ts" });
  expect(resolveImport("../a.ts", "cli/commands/b.ts", aliases)).toEqual({ target: "cli/a.ts" });
  expect(resolveImport("zod", "api/names.ts", aliases)).toEqual({});
});

test("an import of a file that is not there is a fault", () => {
  expect(rules.importsExist(repository({ "cli/a.ts": 'import "./b.ts";' }))).toHaveLength(1);
});

test("a folder that imports what its row does not allow is a fault", () => {
  const files = repository({ "agent/a.ts": 'import "#kernel/jobs.ts";', "server/kernel/jobs.ts": "" });
  expect(rules.foldersKeepToTheirTable(files)).toEqual(["agent/a.ts may not import #kernel/jobs.ts"]);
});

test("a module that asks downstream, or not at the door, is a fault", () => {
  const files = repository({
    "server/modules/source/a.ts": 'import "#builds";\nimport "#access";\nimport "../access/store.ts";',
    "server/modules/source/a.test.ts": 'import "#builds";',
    "server/modules/attic/index.ts": "",
  });
  expect(rules.modulesAskUpstreamAtTheDoor(files)).toEqual([
    "server/modules/source/a.ts asks builds, which stands after source",
    "server/modules/source/a.ts passes by the door of access: ../access/store.ts",
  ]);
  expect(rules.modulesHaveAPlaceInTheOrder(files)).toEqual(["module attic has no place in the order"]);
});

test("a core that reads the clock, rolls dice or imports the outside world is a fault", () => {
  const files = repository({
    "pipeline/a.ts": 'import { readFile } from "node:fs";\nimport type { B } from "#kernel/b.ts";',
    "stack/b.ts": "export const now = () => Date.now();",
    "server/modules/builds/core/c.ts": "/** never Date.now() */ export const dice = () => Math.random();",
    "server/modules/builds/core/d.ts": 'import { z } from "zod"; // no Date.now() here',
    "server/modules/builds/clock.ts": "export const now = () => Date.now();",
  });
  expect(rules.coresArePure(files)).toEqual([
    "pipeline/a.ts is not pure: node:fs",
    "stack/b.ts is not pure: Date.now(",
    "server/modules/builds/core/c.ts is not pure: Math.random(",
  ]);
});

test("SQL outside of stores and kernel is a fault", () => {
  const files = repository({
    "server/modules/builds/routes.ts": "db.selectFrom(x)",
    "server/modules/builds/lease.ts": "sql<number>`select 1`",
    "server/modules/builds/store.ts": "db.selectFrom(x)",
    "server/modules/source/pull-request-store.ts": "sql`select 1`",
    "server/kernel/outbox.ts": "sql`select 1`",
  });
  expect(rules.sqlStaysInStores(files)).toHaveLength(2);
});

test("a store that names a table of another module is a fault", () => {
  const files = repository({
    "server/modules/builds/store.ts": 'db.selectFrom("users").innerJoin("builds", …); sql`delete from tokens`',
  });
  const tables = new Map([
    ["users", "access"],
    ["tokens", "access"],
    ["builds", "builds"],
  ]);
  expect(rules.storesNameTheirOwnTables(files, tables)).toHaveLength(2);
});

test("api may import zod and nothing else", () => {
  expect(rules.apiImportsOnlyZod(repository({ "api/a.ts": 'import "zod";\nimport "pg";' }))).toHaveLength(1);
});

test("circles and long files are faults", () => {
  const files = repository({
    "cli/a.ts": 'import "./b.ts";',
    "cli/b.ts": 'import { c } from "./c.ts";',
    "cli/e.ts": 'import type { A } from "./f.ts";',
    "cli/f.ts": 'import "./e.ts";',
    "cli/c.ts": 'import "./b.ts";',
    "cli/d.ts": "\n".repeat(401),
  });
  expect(rules.noCircles(files)).toEqual(["circle: cli/b.ts → cli/c.ts → cli/b.ts"]);
  expect(rules.noFileIsLong(files)).toEqual(["cli/d.ts has 401 lines; 400 are allowed"]);
});
