/** The plugin `docker-compose`, by our own Compose driver and its clean-up, with the hooks of others around it. */
import { constants } from "node:fs";
import { mkdir, open, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { JobResult } from "#api/endpoints/agent.ts";
import { isRefusal, type Refusal } from "#api/errors.ts";
import type { ComposeEnd } from "#drivers/compose/contract.ts";
import { inOneStream } from "../command-script.ts";
import { ownUser, runAside } from "../command-work.ts";
import { push } from "../images.ts";
import { inside } from "../inside.ts";
import { openJobTool } from "../job-tool/job-tool.ts";
import type { JobContext } from "../job-context.ts";
import { verdictOf } from "../test-work.ts";
import type { DockerComposeConfig } from "./built-in.ts";
import { ownFolder } from "./fetch-plugin.ts";
import { environmentFile, statusVariable } from "./hook-script.ts";
import type { Hooks } from "./hooks.ts";

interface ComposeJob {
  commands: readonly string[];
  composes: readonly DockerComposeConfig[];
  hooks?: Hooks | undefined;
}

export async function runComposePlugin(context: JobContext, job: ComposeJob): Promise<JobResult> {
  const { composes, commands, hooks } = job;
  // Before anything of the job runs, which could lead the agent elsewhere when it writes.
  for (const [index, config] of composes.entries()) await writeOverride(context, config, index);
  if (!hooks) return runAll(context, { composes, commands, env: {} });
  const before = await runAside(context, hooks("before"));
  if (before.outcome !== "passed") return (await runAside(context, hooks("exit")), before);
  const result = await runAll(context, { composes, commands, env: await exportedBy(context) });
  const status = String(result.exitStatus ?? (result.outcome === "passed" ? 0 : 1));
  const spec = hooks("after");
  const after = await runAside(context, { ...spec, env: { ...spec.env, [statusVariable]: status } });
  return result.outcome === "passed" ? after : result;
}

interface Runs {
  composes: readonly DockerComposeConfig[];
  commands: readonly string[];
  /** What hooks have exported. */
  env: Record<string, string>;
}

async function runAll(context: JobContext, { composes, commands, env }: Runs): Promise<JobResult> {
  let result: JobResult = { outcome: "passed", exitStatus: 0 };
  for (const [index, config] of composes.entries()) {
    const one = { config, index, commands, env };
    const builds = [...(config.build ?? []), ...pushesOf(config).map(({ service }) => service)];
    if (builds.length > 0) result = await buildOne(context, one, builds);
    if (result.outcome === "passed" && config.run) result = await runOne(context, one, config.run);
    if (result.outcome !== "passed") return result;
  }
  return result;
}

interface One {
  config: DockerComposeConfig;
  index: number;
  commands: readonly string[];
  env: Record<string, string>;
}

/** What both ways of calling Compose have in common. */
function requestOf(context: JobContext, { config, index, env }: One) {
  const { agent, assignment, workspace, name, lent, ended, log } = context;
  const [file = "", ...others] = config.config;
  const overrides = [...others, ...(pushesOf(config).length > 0 ? [overrideOf(index)] : [])];
  const given = [...config.env, ...config.environment].filter((each) => each.includes("="));
  const sets = given.map((each) => [each.slice(0, each.indexOf("=")), each.slice(each.indexOf("=") + 1)]);
  return {
    ...{ project: name, directory: workspace, file, overrides, cache: assignment.build.repository, signal: ended },
    env: { ...lent, ...assignment.env, ...env, ...assignment.secrets, ...Object.fromEntries(sets) },
    labels: agent.labels,
    deadlineMs: assignment.timeoutMs + 60_000,
    onOutput: (bytes: Buffer) => log.write(bytes),
  };
}

async function runOne(context: JobContext, one: One, service: string): Promise<JobResult> {
  const { agent, log } = context;
  const request = requestOf(context, one);
  const command = commandOf(one);
  await log.say(`~~~ docker-compose run ${service}`);
  for (const line of one.commands) await log.say(`$ ${line}`);
  const pull = one.config.pull ? { pull: one.config.pull } : {};
  await using tool = await toolFor(context, one.config);
  const options = [...optionsOf(context, one.config, Object.keys(request.env)), ...tool.options];
  return await judged(context, agent.compose.run({ ...request, ...pull, service, command, options }));
}

async function buildOne(context: JobContext, one: One, services: readonly string[]): Promise<JobResult> {
  const { agent, assignment, ended, log } = context;
  await log.say(`~~~ docker-compose build ${services.join(" ")}`);
  const result = await judged(context, agent.compose.build({ ...requestOf(context, one), services }));
  if (result.outcome !== "passed") return result;
  for (const { repository, tag } of pushesOf(one.config)) {
    await log.say(`~~~ Pushing ${repository}:${tag}`);
    const isOurs = agent.url !== undefined && repository.startsWith(`${new URL(agent.url).host}/`);
    const { user: username, password } = assignment.credentials;
    const auth = isOurs ? { username, password } : { username: "", password: "" };
    const digest = await push(agent.engine, { repository, tag, auth, signal: ended, say: log.say });
    await log.say(`+++ ${repository}@${digest}`);
  }
  return result;
}

/** What could not be cleaned up is kept in mind, as for a test. */
async function judged(context: JobContext, running: Promise<ComposeEnd | Refusal>): Promise<JobResult> {
  const { agent, name } = context;
  const end = await running.catch((error: unknown) => {
    agent.leftovers.keepProject(name);
    throw error;
  });
  if (!isRefusal(end) && !end.cleaned) agent.leftovers.keepProject(name);
  return verdictOf(end);
}

/** The step's commands by a shell, else the words of `command`, else what the service runs itself. */
function commandOf({ config, commands }: One): string[] {
  if (commands.length === 0) return config.command ?? [];
  const text = commands.join("\n");
  if (config.shell === false) return [text];
  const shell = config.shell ?? ["/bin/sh", "-e", "-c"];
  return [...shell, bourneShell.test(shell[0] ?? "") ? `${inOneStream}\n${text}` : text];
}

const bourneShell = /(^|\/)(ba|da|a|k|z)?sh$/;

function optionsOf({ workspace }: JobContext, config: DockerComposeConfig, names: readonly string[]): string[] {
  const listed = [...config.env, ...config.environment].map((each) => each.split("=")[0] ?? "");
  // By name alone: everybody on the machine can read the arguments of a process.
  const passed = config["propagate-environment"] ? [...new Set([...names, ...listed])] : listed;
  const user = config.user ?? (config["propagate-uid-gid"] ? ownUser() : undefined);
  return [
    ...passed.flatMap((name) => ["-e", name]),
    // Relative to the checkout, which Compose does with those of its files alone.
    ...config.volumes.flatMap((volume) => ["-v", volume.startsWith(".") ? join(workspace, volume) : volume]),
    ...(config["mount-checkout"] === false ? [] : ["-v", `${workspace}:${checkoutIn(config)}`]),
    ...(config.workdir ? ["--workdir", config.workdir] : []),
    ...(config.entrypoint ? ["--entrypoint", config.entrypoint] : []),
    ...(user ? ["--user", user] : []),
  ];
}

/** The job's commands in the service's container, where the step wants them: what they are answered, they are as this job. */
async function toolFor(
  context: JobContext,
  config: DockerComposeConfig,
): Promise<AsyncDisposable & { options: string[] }> {
  if (!config["mount-buildkite-agent"]) return { options: [], [Symbol.asyncDispose]: async () => {} };
  const tool = await openJobTool(context, checkoutIn(config));
  const volumes = [...tool.mounts, ...tool.programs].map(({ from, to }) => `${from}:${to}:ro`);
  const facts = ["BUILDKITE", "BUILDKITE_BUILD_ID", "BUILDKITE_JOB_ID"];
  return {
    options: [...volumes.flatMap((volume) => ["-v", volume]), ...facts.flatMap((name) => ["-e", name])],
    [Symbol.asyncDispose]: () => tool[Symbol.asyncDispose](),
  };
}

const usualCheckout = "/workdir";

/** Where the service's container sees the checkout, as far as the step says. */
function checkoutIn(config: DockerComposeConfig): string {
  const mounted = config["mount-checkout"];
  if (typeof mounted === "string" && mounted.startsWith("/")) return mounted;
  const volume = config.volumes.map((each) => each.split(":")).find(([from]) => from === "." || from === "./");
  return (mounted === false ? volume?.[1] : undefined) ?? config.workdir ?? usualCheckout;
}

interface Pushed {
  service: string;
  repository: string;
  tag: string;
}

/** `app:registry.example.com/app:tag`. */
function pushesOf({ push: pushed = [] }: DockerComposeConfig): Pushed[] {
  return pushed.map((each) => {
    const [, service = each, repository = "", tag = "latest"] = /^([\w.-]+):(.+?)(?::([\w.-]+))?$/.exec(each) ?? [];
    return { service, repository, tag };
  });
}

const overrideOf = (index: number) => `${ownFolder}/compose-${index}.yml`;

/** Gives the services that are pushed the names under which they are. */
async function writeOverride({ workspace }: JobContext, config: DockerComposeConfig, index: number): Promise<void> {
  const pushed = pushesOf(config);
  if (pushed.length === 0) return;
  const main = await inside(workspace, config.config[0] ?? "");
  const text = main ? await readFile(main, "utf8").catch(() => "") : "";
  // Version 1 of Compose lays files over each other only where they have the same version.
  const version = /^version:\s*(.+)$/m.exec(text)?.[1];
  const services = Object.fromEntries(
    pushed.map(({ service, repository, tag }) => [service, { image: `${repository}:${tag}` }]),
  );
  await mkdir(join(workspace, ownFolder), { recursive: true });
  const lines = [...(version ? [`version: ${version}`] : []), `services: ${JSON.stringify(services)}`];
  await writeFile(join(workspace, overrideOf(index)), `${lines.join("\n")}\n`);
}

const longestEnvironment = 1024 * 1024;

/** The container wrote it, so it may be anything: only a file of the checkout is read, and no link. */
async function exportedBy({ workspace }: JobContext): Promise<Record<string, string>> {
  const folder = await inside(workspace, ownFolder);
  if (!folder) return {};
  const file = await open(join(folder, environmentFile), constants.O_RDONLY | constants.O_NOFOLLOW).catch(
    () => undefined,
  );
  if (!file) return {};
  try {
    const { bytesRead, buffer } = await file.read(Buffer.alloc(longestEnvironment), 0, longestEnvironment, 0);
    const entries = buffer
      .subarray(0, bytesRead)
      .toString()
      .split("\0")
      .filter((each) => each.includes("="));
    return Object.fromEntries(
      entries.map((each) => [each.slice(0, each.indexOf("=")), each.slice(each.indexOf("=") + 1)]),
    );
  } finally {
    await file.close();
  }
}
