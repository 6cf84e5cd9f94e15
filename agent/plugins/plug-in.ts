/** A command step together with its plugins: what runs where, and what is around it. */
import { join } from "node:path";
import type { Cache, JobResult, Plugin, Work } from "#api/endpoints/agent.ts";
import { isThere } from "#kernel/files.ts";
import { builtInPlugins, type BuiltInPlugin, parsePluginSource } from "#pipeline/plugin-source.ts";
import { type CommandSpec, plainSpec } from "../command-spec.ts";
import type { JobContext } from "../job-context.ts";
import { type AnnotateConfig, type DockerComposeConfig, type DockerConfig, readConfig } from "./built-in.ts";
import { cachesOf } from "./cache-plugin.ts";
import { dockerSpec } from "./docker-plugin.ts";
import { fetchPlugin } from "./fetch-plugin.ts";
import { type FoundHooks, type Hooks, writeHooks } from "./hooks.ts";
import { pluginVariables } from "./plugin-variables.ts";

type CommandWork = Extract<Work, { kind: "command" }>;

export interface Plugged {
  /** The container of the commands. */
  spec: CommandSpec;
  hooks?: Hooks;
  /** What Compose does in place of that container, one after the other. */
  composes: DockerComposeConfig[];
  caches: Cache[];
  /** What is read of tests behind the commands. */
  annotates: AnnotateConfig[];
  /** Nothing but the plugins is to run. */
  idle: boolean;
}

/** What the plugins of a step are, read one after the other. */
interface Found {
  docker?: DockerConfig;
  composes: DockerComposeConfig[];
  caches: Cache[];
  annotates: AnnotateConfig[];
  hooked: FoundHooks[];
}

/** A plugin that cannot be had, or a setting of one that is not served, fails the job by its name. */
export async function plugIn(context: JobContext, work: CommandWork): Promise<Plugged | JobResult> {
  const found: Found = { composes: [], caches: [], annotates: [], hooked: [] };
  for (const [index, plugin] of (work.plugins ?? []).entries()) {
    const fault = await take(context, found, { plugin, index });
    if (fault !== undefined) return { outcome: "failed", reason: `the plugin ${plugin.source}: ${fault}` };
  }
  const { docker, composes, caches, annotates, hooked } = found;
  if (docker && composes.length > 0)
    return { outcome: "failed", reason: "a step has the plugin docker or docker-compose, not both" };
  const spec = docker
    ? dockerSpec(docker, work.commands)
    : plainSpec(work.image ?? context.agent.defaultImage, work.commands);
  if (typeof spec === "string") return { outcome: "failed", reason: `the plugin docker: ${spec}` };
  const hasHooks = hooked.length > 0 || (await isThere(join(context.workspace, ".buildkite/hooks")));
  if (hasHooks && spec.ownProgram)
    return { outcome: "failed", reason: "the plugin docker: hooks need a shell; give the step commands" };
  const hooks = hasHooks ? await writeHooks(context, work, { hooked, spec }) : undefined;
  const idle = annotates.length > 0 && !docker && !hooks && composes.length === 0 && work.commands.length === 0;
  return { spec, composes, caches, annotates, idle, ...(hooks ? { hooks } : {}) };
}

interface Listed {
  plugin: Plugin;
  index: number;
}

/** Answers what is wrong with it. */
async function take(context: JobContext, found: Found, { plugin, index }: Listed): Promise<string | undefined> {
  const source = parsePluginSource(plugin.source);
  if (!source) return "this is neither a name, nor a folder `./…`, nor an address of Git over HTTP";
  if (source.kind === "built-in") return takeBuiltIn(context, found, { name: source.name, config: plugin.config });
  const fetched = await fetchPlugin(context, source, index);
  if ("fault" in fetched) return `${fetched.fault}. Built in are ${builtInPlugins.join(", ")}.`;
  found.hooked.push({
    ...{ name: source.name, hooks: fetched.hooks, variables: pluginVariables(source.name, plugin.config) },
    replacesCommand: await isThere(join(context.workspace, fetched.hooks, "command")),
  });
  return undefined;
}

interface Configured {
  name: BuiltInPlugin;
  config: Plugin["config"];
}

function takeBuiltIn({ assignment }: JobContext, found: Found, { name, config }: Configured): string | undefined {
  const read = readConfig(name, config);
  if ("fault" in read) return read.fault;
  if (read.name === "docker") found.docker = read.config;
  if (read.name === "docker-compose") found.composes.push(read.config);
  if (read.name === "cache") found.caches.push(...cachesOf(read.config, assignment.env["TOWLINE_STEP_KEY"] ?? ""));
  if (read.name === "junit-annotate") found.annotates.push(read.config);
  return undefined;
}
