import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { JobResult } from "#api/endpoints/agent.ts";
import { type Engine, EngineError } from "#drivers/engine/engine.ts";
import type { AgentContext } from "./agent-context.ts";
import { type CommandSpec, shell, workingFolder } from "./command-spec.ts";
import {
  type ContainerEnd,
  type ContainerRun,
  createContainer,
  followContainer,
  hasFile,
  isMissing,
  resumeContainer,
  startContainer,
} from "./containers.ts";
import { docker } from "./docker-client.ts";
import { type JobTool, openJobTool } from "./job-tool/job-tool.ts";
import { memoryReason } from "./memory-reason.ts";
import { mustAnswer } from "./readiness.ts";
import type { JobContext } from "./job-context.ts";

/** Linux takes no longer argument. */
const longestScript = 128 * 1024 - 1;
const tooLong: JobResult = {
  outcome: "failed",
  reason: "the commands of the step are longer than 64 KiB; put them into a file of the repository",
};

/** Runs the commands of a step in a container that sees the workspace. */
export async function runCommands(context: JobContext, spec: CommandSpec): Promise<JobResult> {
  const { agent, log } = context;
  await log.say(`~~~ Commands in ${spec.image}`);
  await using tool = await openJobTool(context, spec.folder);
  const run = containerOf(context, tool, spec);
  if (run.command.some((word) => Buffer.byteLength(word) > longestScript)) return tooLong;
  const created = await create(context, run, spec.alwaysPull);
  if (created) return created;
  return await follow(context, run, async () => {
    await context.beginContainer();
    return startContainer(agent.engine, run);
  });
}

/** Goes on with the container that an earlier start of this agent began: it still runs, or has ended meanwhile. */
export async function resumeCommands(context: JobContext, spec: CommandSpec): Promise<JobResult> {
  await using tool = await openJobTool(context, spec.folder);
  const run = containerOf(context, tool, spec);
  return await follow(context, run, async () => resumeContainer(context.agent.engine, run));
}

/** As `runCommands`, in a container beside what the job does in another way: gone when it has ended, and not taken up again. */
export async function runAside(context: JobContext, spec: CommandSpec): Promise<JobResult> {
  await using tool = await openJobTool(context, spec.folder);
  const run = containerOf(context, tool, spec);
  try {
    const created = await create(context, run);
    if (created) return created;
    return await follow(context, run, () => startContainer(context.agent.engine, run));
  } finally {
    await context.agent.leftovers.removeContainer(run.name);
  }
}

/** A container that ended by itself stays until the end of the job is reported, for an agent that dies before that to look at. */
async function follow(
  context: JobContext,
  run: ContainerRun,
  begin: () => Promise<AsyncIterable<Buffer>>,
): Promise<JobResult> {
  const { agent, ended } = context;
  let hasEnded = false;
  try {
    const output = await begin().catch(refusedBy);
    if ("outcome" in output) return output;
    const end = await followThrough(agent, run, output);
    hasEnded = true;
    const ran = imageId.test(end.image) ? { ran: { image: run.image, id: end.image } } : {};
    return { ...(await verdict(context, end)), ...ran };
  } finally {
    if (!hasEnded || ended.aborted) await agent.leftovers.removeContainer(run.name);
  }
}

/** As `followContainer`, over an engine that goes away and comes back: the output goes on at the byte where it stopped. */
async function followThrough(
  agent: AgentContext,
  run: ContainerRun,
  output: AsyncIterable<Buffer>,
): Promise<ContainerEnd> {
  let seen = 0;
  const onOutput = (bytes: Buffer) => {
    seen += bytes.length;
    return run.onOutput(bytes);
  };
  for (let rest = output, wasAway = false; ; wasAway = true) {
    const end = await followContainer(agent.engine, { ...run, onOutput }, rest).catch(unlessUnreachable);
    if (!(end instanceof EngineError)) return wasAway || (await isStopping(agent, run, end)) ? unlessKilled(end) : end;
    agent.log.warn({ container: run.name }, "the Docker Engine is away; the job goes on when it is back");
    await untilAnswers(agent, run.signal, end);
    rest = without(seen, resumeContainer(agent.engine, run));
  }
}

const killedByRestart = new Set([137, 143, 255]);
const stoppingMs = 2_000;

/** An engine that is stopped ends its containers first, and answers until they have ended. */
async function isStopping({ engine }: AgentContext, { signal }: ContainerRun, end: ContainerEnd): Promise<boolean> {
  const deadline = Date.now() + stoppingMs;
  const mayBe = () => killedByRestart.has(end.exitCode) && !end.outOfMemory && !signal.aborted && Date.now() < deadline;
  while (mayBe()) {
    if (!(await answers(engine))) return true;
    await sleep(200, undefined, { signal }).catch(() => {});
  }
  return false;
}

/** An engine that is restarted may end its containers with itself: that is no failure of the step. */
function unlessKilled(end: ContainerEnd): ContainerEnd {
  if (!killedByRestart.has(end.exitCode)) return end;
  throw new Error("the Docker Engine was restarted, and ended the container");
}

function unlessUnreachable(error: unknown): EngineError {
  if (error instanceof EngineError && error.reason === "unreachable") return error;
  throw error;
}

/** Throws `lost` when the engine stays away. */
async function untilAnswers(
  { engine, enginePatienceMs }: AgentContext,
  signal: AbortSignal,
  lost: EngineError,
): Promise<void> {
  const deadline = Date.now() + enginePatienceMs;
  while (!signal.aborted) {
    if (await answers(engine)) return;
    if (Date.now() > deadline) throw lost;
    await sleep(500, undefined, { signal }).catch(() => {});
  }
}

const answers = (engine: Engine) =>
  mustAnswer(engine).then(
    () => true,
    () => false,
  );

/** All but its first bytes. */
async function* without(count: number, output: AsyncIterable<Buffer>): AsyncIterable<Buffer> {
  let left = count;
  for await (const bytes of output) {
    yield bytes.subarray(Math.min(left, bytes.length));
    left -= Math.min(left, bytes.length);
  }
}

function containerOf(context: JobContext, tool: JobTool, spec: CommandSpec): ContainerRun {
  const { agent, assignment, workspace, name, ended, log } = context;
  const { env, secrets, timeoutMs } = assignment;
  const objects = agent.checkouts.objectsOf(assignment.build.repository);
  const user = ownUser();
  const { image, ownProgram = false, folder } = spec;
  const command = spec.command.map((word, at) => (at === spec.scriptAt ? [...tool.prelude, word].join("\n") : word));
  return {
    ...{ name, labels: agent.labels, image, command, ownProgram, user },
    folder: workingFolder(folder, assignment),
    // Without an entry in the image's list of users, `~` would be a place where nobody may write.
    env: { ...(user === "0:0" ? {} : { HOME: "/tmp" }), ...context.lent, ...env, ...spec.env, ...secrets },
    mounts: [
      { from: workspace, to: folder },
      // Where the checkout's Git looks for its objects; read-only, for other builds look there too.
      { from: objects, to: objects, readOnly: true },
      ...tool.mounts,
      ...spec.volumes.map(({ from, ...volume }) => ({ ...volume, from: join(workspace, from) })),
    ],
    ...{ network: name, limits: agent.limits },
    // The lease's own clock ends it first.
    ...{ signal: ended, deadlineMs: timeoutMs + 60_000, onOutput: (bytes) => log.write(bytes) },
  };
}

/** Makes the container, with its image when that is not here; answers why it cannot be made. */
async function create(context: JobContext, run: ContainerRun, alwaysPull = false): Promise<JobResult | undefined> {
  const { agent, log, ended } = context;
  const make = () => createContainer(agent.engine, run).then(() => undefined);
  try {
    if (!alwaysPull) {
      await make();
      return void (await agent.pulled.noteUse(run.image, false));
    }
  } catch (error) {
    if (!isMissing(error) || ended.aborted) return refusedBy(error);
  }
  await log.say(`~~~ Pulling ${run.image}`);
  const pulled = await docker({ args: ["pull", run.image], signal: ended, onOutput: (bytes) => log.write(bytes) });
  if (pulled !== 0) {
    await mustAnswer(agent.engine);
    return { outcome: "failed", reason: `the image ${run.image} is not here and cannot be pulled` };
  }
  await agent.pulled.noteUse(run.image, true);
  return make().catch(refusedBy);
}

/** What the engine objects to in a container (no such user, too long a command) is the step's own fault; the rest is not. */
function refusedBy(error: unknown): JobResult {
  if (!(error instanceof EngineError) || error.status === undefined || error.status >= 500) throw error;
  return { outcome: "failed", reason: `the container could not be started: ${error.message}` };
}

/** Whatever user the image names: the workspace is the agent's, and only the agent's own files can it remove. */
export function ownUser(): string {
  const uid = process.getuid?.() ?? 0;
  return `${uid}:${process.getgid?.() ?? uid}`;
}

const imageId = /^sha256:[0-9a-f]{64}$/;
const notExecutable = 126;
const notFound = 127;

async function verdict({ agent, name }: JobContext, end: ContainerEnd): Promise<JobResult> {
  const { exitCode } = end;
  if (exitCode === 0) return { outcome: "passed", exitStatus: 0 };
  const failed = { outcome: "failed" as const, exitStatus: exitCode };
  const reason = memoryReason(end);
  if (reason !== undefined) return { ...failed, reason };
  const mayLackShell = exitCode === notFound || exitCode === notExecutable;
  if (!mayLackShell || (await hasFile(agent.engine, name, shell))) return failed;
  return { outcome: "failed", reason: `the image has no ${shell}, which runs the commands of a step` };
}
