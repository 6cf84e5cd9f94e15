/** Where a plugin of a step comes from, by the way it is written. The server uses it to let the job read it, the agent to fetch it. */
export type PluginSource =
  /** Done by the agent itself. */
  | { kind: "built-in"; name: BuiltInPlugin }
  /** A folder of the service's own repository. */
  | { kind: "vendored"; name: string; path: string }
  /** A repository of this installation. */
  | { kind: "repository"; name: string; repository: string; ref: string | undefined }
  /** A Git repository elsewhere, over HTTP. */
  | { kind: "address"; name: string; url: string; ref: string | undefined };

export const builtInPlugins = ["artifacts", "cache", "docker", "docker-compose", "junit", "junit-annotate"] as const;
export type BuiltInPlugin = (typeof builtInPlugins)[number];

const suffix = "-buildkite-plugin";

/** Undefined when it is nothing of this. Of `name` and `owner/name` the repository is `name-buildkite-plugin`, as at Buildkite. */
export function parsePluginSource(source: string): PluginSource | undefined {
  const hash = source.indexOf("#");
  const place = hash === -1 ? source : source.slice(0, hash);
  const ref = hash === -1 ? undefined : source.slice(hash + 1) || undefined;
  if (ref !== undefined && !/^[\w][\w./+-]{0,200}$/.test(ref)) return undefined;
  if (place.startsWith("./")) return vendored(place);
  const name = nameOf(place);
  if (!/^[a-z0-9][a-z0-9._-]{0,80}$/i.test(name)) return undefined;
  if (isBuiltIn(name) && isFromBuildkite(place)) return { kind: "built-in", name };
  if (/^https?:\/\/[^\s]+$/.test(place)) return { kind: "address", name, url: place, ref };
  if (/^([\w.-]+\/)?[\w.-]+$/.test(place)) return { kind: "repository", name, repository: `${name}${suffix}`, ref };
  return undefined;
}

function vendored(place: string): PluginSource | undefined {
  const path = place.replace(/^(\.\/)+/, "").replace(/\/+$/, "");
  if (path === "" || path.split("/").some((part) => part === ".." || part === ".")) return undefined;
  return { kind: "vendored", name: nameOf(path), path };
}

/** `https://github.com/acme/llamas-buildkite-plugin.git` → `llamas`. */
function nameOf(place: string): string {
  const last = place.replace(/\/+$/, "").split("/").at(-1) ?? "";
  return last.replace(/\.git$/, "").replace(new RegExp(`${suffix}$`), "");
}

const isBuiltIn = (name: string): name is BuiltInPlugin => (builtInPlugins as readonly string[]).includes(name);

/** Of others one may have the same name and do something else. */
function isFromBuildkite(place: string): boolean {
  return !place.includes("/") || /^(https?:\/\/github\.com\/)?buildkite-plugins\//.test(place);
}
