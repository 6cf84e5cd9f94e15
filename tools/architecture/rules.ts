/** The two laws of docs/architecture.md as functions from files to faults; each fault is a sentence. */
import { isTest, moduleOf, type SourceFile } from "./source-file.ts";

/** In the order of the flow: a module may ask those before it. */
export const moduleOrder = [
  "access",
  "source",
  "fleet",
  "builds",
  "images",
  "contracts",
  "releases",
  "attestations",
  "routing",
  "deployments",
];

/** What a folder may import beside itself. The first row whose path fits counts; e2e, bench and testing may all. */
const mayImport: [folder: RegExp, allowed: RegExp][] = [
  [/^api\//, /^$/],
  [/^pipeline\//, /^api\//],
  [/^stack\//, /^(api|pipeline)\//],
  [/^server\/kernel\//, /^api\//],
  [
    /^server\/modules\//,
    /^((api|pipeline|stack|server\/kernel|server\/modules)\/|drivers\/[^/]+\/(contract|rules|digest)\.ts$)/,
  ],
  [/^server\//, /^(api|pipeline|stack|server|drivers)\//],
  [/^drivers\//, /^(api|drivers)\//],
  [/^agent\//, /^(api|client|pipeline|drivers)\/|^server\/kernel\/(clock|files|log|process-lock)\.ts$/],
  [/^client\//, /^api\//],
  [/^cli\//, /^(api|client|agent|drivers|pipeline|stack|tools|bench)\/|^server\/(main|kernel\/.+)\.ts$/],
  [/^web\//, /^api\//],
  // What is written from the code for people to read, or held against it.
  [/^tools\/generated\//, /./],
  [/^tools\//, /^(api|drivers)\//],
];

const pureFolder = /^(pipeline|stack)\/|^server\/modules\/[^/]+\/core\//;
/** Interfaces of drivers and the checks of values that stand beside them are no outside world. */
const driverRules = /^drivers\/[^/]+\/(contract|rules|digest)\.ts$/;
/** `croner` only computes here: a schedule that is not started sets no timer. The last two are names of packages and licences. */
const purePackages = new Set(["zod", "yaml", "croner", "packageurl-js", "@cyclonedx/cyclonedx-library/SPDX"]);
const impure =
  /\bDate\.now\(|\bnew Date\(\)|\bMath\.random\(|\bprocess\.\w|\bperformance\.now\(|\brandomUUID\(|\bsetTimeout\(|\bfetch\(/;
const queries = /\.(selectFrom|insertInto|updateTable|deleteFrom|mergeInto)\(|\bsql(<[^`]*>)?`/;

type Rule = (files: SourceFile[]) => string[];

const production: (files: SourceFile[]) => SourceFile[] = (files) => files.filter((file) => !isTest(file.path));

export const importsExist: Rule = (files) =>
  files.flatMap((file) => file.unresolved.map((each) => `${file.path} imports ${each.specifier}, which is not there`));

export const foldersKeepToTheirTable: Rule = (files) =>
  production(files).flatMap((file) => {
    const row = mayImport.find(([folder]) => folder.test(file.path));
    if (!row) return [];
    const own = row[0].exec(file.path)?.[0] ?? "";
    const bad = file.imports.filter(
      ({ target }) => target && !target.startsWith(own) && !row[1].test(target) && target !== "package.json",
    );
    return bad.map((each) => `${file.path} may not import ${each.specifier}`);
  });

export const modulesAskUpstreamAtTheDoor: Rule = (files) =>
  files.flatMap((file) => {
    const from = moduleOf(file.path);
    if (from === undefined) return [];
    return file.imports.flatMap(({ target = "", specifier }) => {
      const to = moduleOf(target);
      if (to === undefined || to === from) return [];
      if (target !== `server/modules/${to}/index.ts`) return [`${file.path} passes by the door of ${to}: ${specifier}`];
      const upstream = moduleOrder.indexOf(to) < moduleOrder.indexOf(from);
      return upstream || isTest(file.path) ? [] : [`${file.path} asks ${to}, which stands after ${from}`];
    });
  });

export const modulesHaveAPlaceInTheOrder: Rule = (files) =>
  [...new Set(files.map((file) => moduleOf(file.path)))]
    .filter((name) => name !== undefined && !moduleOrder.includes(name))
    .map((name) => `module ${name} has no place in the order`);

export const coresArePure: Rule = (files) =>
  production(files)
    .filter((file) => pureFolder.test(file.path))
    .flatMap((file) => {
      const reached = file.imports
        .filter((each) => !each.typeOnly && !isPureImport(each))
        .map((each) => each.specifier);
      const used = impure.exec(withoutComments(file.text))?.[0];
      return [...reached, ...(used ? [used] : [])].map((what) => `${file.path} is not pure: ${what}`);
    });

function isPureImport({ target, specifier }: { target?: string; specifier: string }): boolean {
  if (target === undefined) return purePackages.has(specifier);
  return pureFolder.test(target) || driverRules.test(target) || target.startsWith("api/");
}

export const apiImportsOnlyZod: Rule = (files) =>
  production(files)
    .filter((file) => file.path.startsWith("api/"))
    .flatMap((file) =>
      file.imports
        .filter(({ target, specifier }) => !target && specifier !== "zod")
        .map((each) => `${file.path} imports ${each.specifier}`),
    );

export const sqlStaysInStores: Rule = (files) =>
  production(files)
    .filter((file) => !/^server\/kernel\/|(^|[-/])store\.ts$|^tools\/architecture\//.test(file.path))
    .filter(
      (file) =>
        queries.test(withoutComments(file.text)) ||
        file.imports.some((each) => each.specifier === "pg" && !each.typeOnly),
    )
    .map((file) => `${file.path} talks to the database, which only store.ts may`);

/** `tables`: who made which. */
export function storesNameTheirOwnTables(files: SourceFile[], tables: Map<string, string>): string[] {
  return production(files).flatMap((file) => {
    const owner = moduleOf(file.path);
    if (owner === undefined || !file.path.endsWith("store.ts")) return [];
    const named = [
      ...withoutComments(file.text).matchAll(/(?:\b(?:from|join|into|update)\s+|(?:From|Join|Into|Table)\(")(\w+)/g),
    ];
    const foreign = named
      .map(([, table = ""]) => table)
      .filter((table) => tables.has(table) && tables.get(table) !== owner);
    return [...new Set(foreign)].map((table) => `${file.path} names ${table}, a table of ${tables.get(table)}`);
  });
}

export const noFileIsLong: Rule = (files) =>
  files
    .map((file) => ({ path: file.path, lines: file.text.split("\n").length - 1 }))
    .filter(({ lines }) => lines > 400)
    .map(({ path, lines }) => `${path} has ${lines} lines; 400 are allowed`);

/** Depth-first search for a way back. `import type` does not count: it leaves nothing behind at run time. */
export const noCircles: Rule = (files) => {
  const targets = new Map(
    files.map((file) => [file.path, file.imports.flatMap(({ target, typeOnly }) => (typeOnly ? [] : (target ?? [])))]),
  );
  const done = new Set<string>();
  const circles: string[] = [];
  const visit = (path: string, way: string[]): void => {
    if (way.includes(path)) circles.push(`circle: ${[...way.slice(way.indexOf(path)), path].join(" → ")}`);
    else if (!done.has(path)) {
      for (const target of targets.get(path) ?? []) visit(target, [...way, path]);
      done.add(path);
    }
  };
  for (const path of targets.keys()) visit(path, []);
  return circles;
};

export function withoutComments(text: string): string {
  return text.replaceAll(/\/\*[\s\S]*?\*\//g, "").replaceAll(/(^|\s)\/\/.*$/gm, "");
}
