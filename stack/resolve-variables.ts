import type { Stack } from "./stack.ts";

export interface Values {
  /** By name of secret. */
  secrets: Readonly<Record<string, string>>;
  /** By name of backing service. */
  passwords: Readonly<Record<string, string>>;
}

export interface Resolved {
  values: Record<string, string>;
  /** By path. */
  files: Record<string, string>;
}

/** The variables and files as the process gets them, or the names of all secrets and passwords that are missing. */
export function resolveVariables(
  { variables, files = {} }: Pick<Stack, "variables" | "files">,
  values: Values,
): Resolved | { missing: string[] } {
  const missing = new Set<string>();
  const look = (source: Readonly<Record<string, string>>, name: string): string => {
    if (!Object.hasOwn(source, name)) missing.add(name);
    return source[name] ?? "";
  };
  const resolved = Object.entries(variables).map(([name, variable]): [string, string] => {
    if (variable.from === "value") return [name, variable.value];
    if (variable.from === "secret") return [name, look(values.secrets, variable.secret)];
    if (!variable.url.includes(placeholder)) return [name, variable.url];
    return [name, fillPassword(variable.url, encodeURIComponent(look(values.passwords, variable.backing)))];
  });
  const contents = Object.entries(files).map(([path, { secret }]) => [path, look(values.secrets, secret)] as const);
  if (missing.size > 0) return { missing: [...missing] };
  return { values: Object.fromEntries(resolved), files: Object.fromEntries(contents) };
}

/** The variables of a backing service itself. */
export function resolveBacking(variables: Readonly<Record<string, string>>, password: string): Record<string, string> {
  return Object.fromEntries(Object.entries(variables).map(([name, value]) => [name, fillPassword(value, password)]));
}

const placeholder = "${password}";

/** A function as replacement, because `$&` in a text would mean something. */
function fillPassword(template: string, password: string): string {
  return template.replaceAll(placeholder, () => password);
}
