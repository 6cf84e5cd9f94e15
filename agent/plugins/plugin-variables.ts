/** The variables by which Buildkite's agent tells a plugin what it is to do. */
import type { Plugin } from "#api/endpoints/agent.ts";

type Json = Plugin["config"];

/** `{ run: "app", config: ["a", "b"] }` of `docker-compose` → `BUILDKITE_PLUGIN_DOCKER_COMPOSE_RUN`, `…_CONFIG_0`, `…_CONFIG_1`. */
export function pluginVariables(name: string, config: Json): Record<string, string> {
  const upper = variablePart(name);
  return {
    BUILDKITE_PLUGIN_NAME: upper,
    BUILDKITE_PLUGIN_CONFIGURATION: JSON.stringify(config ?? {}),
    ...(config === null ? {} : flatten(`BUILDKITE_PLUGIN_${upper}`, config)),
  };
}

function flatten(prefix: string, value: Json): Record<string, string> {
  if (typeof value === "object" && value !== null) {
    const entries = Array.isArray(value)
      ? value.map((each, index) => [String(index), each] as const)
      : Object.entries(value);
    return Object.assign({}, ...entries.map(([key, each]) => flatten(`${prefix}_${variablePart(key)}`, each)));
  }
  return { [prefix]: value === null ? "" : String(value) };
}

const variablePart = (text: string): string =>
  text
    .toUpperCase()
    .replace(/[^A-Z0-9]+/g, "_")
    .replace(/^_+|_+$/g, "");
