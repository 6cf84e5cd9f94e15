import type { Stack } from "./stack.ts";

export interface Values {
  /** By name of secret. */
  secrets: Readonly<Record<string, string>>;
  /** By name of backing service. */
  passwords: Readonly<Record<string, string>>;
}

/** The variables as the process gets them, or the names of all secrets and passwords that are missing. */
export function resolveVariables(
  variables: Stack["variables"],
  values: Values,
): { values: Record<string, string> } | { missing: string[] } {
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
  return missing.size > 0 ? { missing: [...missing] } : { values: Object.fromEntries(resolved) };
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
