import { existsSync, globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import packageJson from "../../package.json" with { type: "json" };
import { importsIn, resolveImport, type SourceFile } from "./source-file.ts";

const root = join(import.meta.dirname, "../..");
const folders = "{api,pipeline,stack,server,drivers,agent,client,cli,e2e,bench,tools,testing,web}";

/** Every TypeScript file of this repository with what it imports, in the order of their paths. */
export function readRepository(): SourceFile[] {
  const paths = globSync(`${folders}/**/*.{ts,tsx}`, {
    cwd: root,
    exclude: ["**/node_modules/**", "**/fixtures/**", "web/dist/**"],
  }).toSorted();
  return paths.map((path) => {
    const text = readFileSync(join(root, path), "utf8");
    const imports = importsIn(text).map((found) => ({ ...found, ...resolveImport(found.specifier, path, aliases) }));
    return {
      path,
      text,
      imports,
      unresolved: imports.filter((each) => each.target && !existsSync(join(root, each.target))),
    };
  });
}

const aliases: Record<string, string> = packageJson.imports;

/** Which module made which table: migrations are named `NNNN_<module>….sql`. */
export function readTables(): Map<string, string> {
  const tables = new Map<string, string>();
  for (const path of globSync("server/migrations/*.sql", { cwd: root })) {
    const owner = /\d+_([a-z]+)[^/]*\.sql$/.exec(path)?.[1];
    const text = readFileSync(join(root, path), "utf8");
    for (const [, table] of text.matchAll(/^create table (?:if not exists )?(\w+)/gm))
      if (table && owner) tables.set(table, owner);
  }
  return tables;
}
