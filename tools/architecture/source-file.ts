import { dirname, join, normalize } from "node:path/posix";

export interface Import {
  specifier: string;
  typeOnly: boolean;
  /** Path in this repository that it reaches; undefined for packages and `node:`. */
  target?: string;
}

export interface SourceFile {
  /** From the root of the repository, with slashes. */
  path: string;
  text: string;
  imports: Import[];
  /** Imports of files that are not there. */
  unresolved: Import[];
}

const statement = /^\s*(?:import|export)\s+(type\s)?[^"';]*?from\s*"([^"]+)"/gm;
const bare = /^\s*import\s+"([^"]+)"/gm;
const dynamic = /\bimport\(\s*"([^"]+)"\s*\)/g;

/** All imports, re-exports and dynamic imports of a file (formatted code: double quotes, one statement a line). */
export function importsIn(text: string): Import[] {
  const found: Import[] = [];
  for (const [, type, specifier = ""] of text.matchAll(statement))
    found.push({ specifier, typeOnly: type !== undefined });
  for (const pattern of [bare, dynamic])
    for (const [, specifier = ""] of text.matchAll(pattern)) found.push({ specifier, typeOnly: false });
  return found;
}

/** Follows a relative path or an alias of package.json (`"#api/*": "./api/*"`); packages have no target. */
export function resolveImport(specifier: string, from: string, aliases: Record<string, string>): { target?: string } {
  if (specifier.startsWith(".")) return { target: normalize(join(dirname(from), specifier)) };
  if (!specifier.startsWith("#")) return {};
  // As Node does: the alias with the longest text before its star wins.
  const names = Object.keys(aliases).toSorted((a, b) => b.length - a.length);
  const alias = names.find((name) => specifier.startsWith(name.slice(0, -1)));
  if (alias === undefined) return { target: specifier };
  const rest = specifier.slice(alias.length - 1);
  return { target: normalize((aliases[alias] ?? "").replace("*", rest)) };
}

export function isTest(path: string): boolean {
  return /\.test\.ts$|^(server|drivers)\/.*\/test-[^/]+\.ts$|(^|\/)conformance\.ts$|^(e2e|bench|testing)\//.test(path);
}

/** `deployments` for a file of that module. */
export function moduleOf(path: string): string | undefined {
  return /^server\/modules\/([^/]+)\//.exec(path)?.[1];
}
