import { availableParallelism } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import { isRefusal, refuse } from "#api/errors.ts";
import { startAgent } from "#agent/agent.ts";
import { connectServer } from "#agent/connect-server.ts";
import type { HealthPlace } from "#agent/agent-options.ts";
import { type JobLimits, usualMemory } from "#agent/containers.ts";
import { openCompose } from "#drivers/compose/cli.ts";
import { connectEngine } from "#drivers/engine/engine.ts";
import { readConfig } from "#kernel/config.ts";
import { createLog } from "#kernel/log.ts";
import { byteSize, duration, numberValue, wholeNumber } from "#pipeline/text/values.ts";
import { baseImage } from "../../tools/base-images/catalogue.ts";
import { prepareHost, type PrepareFlags } from "../prepare.ts";
import { accepted, CommandRefused, tell } from "../output.ts";
import { readSession, type SessionFlags } from "../session.ts";
import { untilSignal } from "../signals.ts";

export interface AgentFlags extends SessionFlags, PrepareFlags {
  capacity?: string;
  tag?: string[];
  image: string;
  home?: string;
  jobMemory?: string;
  jobCpus?: string;
  jobProcesses: string;
  drain: string;
  cacheSize: string;
  metricsPort?: string;
  metricsHost: string;
  withParent?: boolean;
}

/** Leases and runs jobs until a signal. */
export async function runAgent(flags: AgentFlags): Promise<void> {
  const config = readConfig(process.env);
  if (isRefusal(config)) throw new CommandRefused(config);
  const { url, token } = await readSession(flags);
  if (!token)
    throw new CommandRefused(
      refuse("auth.required", "an agent needs a token", { fix: "towline agent --token <token>" }),
    );
  // One that another command started finds its machine prepared.
  const prepare = () => prepareHost(flags, flags.image === baseImage("debian") ? ["debian"] : []);
  const ready = flags.withParent ? undefined : await prepare();
  const compose = await openCompose(ready?.compose);
  if (isRefusal(compose)) throw new CommandRefused(compose);
  const drainMs = readValue("--drain", duration, flags.drain);
  const home = flags.home ?? join(config.home, "agent");
  const abandon = new AbortController();
  const stop = untilStopped(flags.withParent ?? false, abandon);
  const started = await startAgent(
    {
      ...connectServer({ url, token, home }),
      home,
      capacity: readCapacity(flags.capacity),
      tags: readTags(flags.tag ?? []),
      defaultImage: flags.image,
      limits: readLimits(flags),
      health: readHealth(flags),
      enginePatienceMs: 60_000,
      cacheSize: readValue("--cache-size", byteSize, flags.cacheSize),
      compose,
      engine: connectEngine(),
      diskFloor: config.diskFloor,
      log: createLog(config.logLevel),
    },
    abandon.signal,
  );
  await using agent = accepted(started);
  tell(`agent ${agent.name} leases jobs from ${url}`);
  await stop;
  tell("stopping: jobs at work get a moment to end, then another agent takes them");
  setTimeout(() => abandon.abort(), drainMs).unref();
  void untilSignal().then(() => abandon.abort());
}

/** A signal, or the end of the process that started us: its jobs are then nobody's, so they are abandoned at once. */
async function untilStopped(withParent: boolean, abandon: AbortController): Promise<void> {
  const orphaned = new Promise<void>((resolve) => {
    if (!withParent) return;
    process.stdin.resume().once("end", () => {
      abandon.abort();
      resolve();
    });
  });
  await Promise.race([untilSignal(), orphaned]);
  process.stdin.destroy();
}

function readLimits({ jobMemory, jobCpus, jobProcesses }: AgentFlags): JobLimits {
  return {
    memory: jobMemory ? readValue("--job-memory", byteSize, jobMemory) : usualMemory(),
    cpus: jobCpus ? readValue("--job-cpus", numberValue.pipe(z.number().positive()), jobCpus) : undefined,
    processes: readValue("--job-processes", wholeNumber.pipe(z.int().min(16)), jobProcesses),
  };
}

function readHealth({ metricsPort, metricsHost: host }: AgentFlags): HealthPlace | undefined {
  if (metricsPort === undefined) return undefined;
  return { host, port: readValue("--metrics-port", wholeNumber.pipe(z.int().min(1).max(65_535)), metricsPort) };
}

function readValue<T>(flag: string, shape: z.ZodType<T>, text: string): T {
  const parsed = shape.safeParse(text);
  if (parsed.success) return parsed.data;
  const { message = "not a value" } = parsed.error.issues[0] ?? {};
  throw new CommandRefused(refuse("request.invalid", `${flag} ${text}: ${message}`));
}

export function readCapacity(text: string | undefined): number {
  if (text === undefined) return availableParallelism();
  if (/^[1-9]\d{0,2}$/.test(text)) return Number(text);
  throw new CommandRefused(refuse("request.invalid", `--capacity takes a number from 1 to 999, not ${text}`));
}

function readTags(tags: string[]): Record<string, string> {
  return Object.fromEntries(
    tags.map((tag) => {
      const [name = "", value] = tag.split("=");
      if (!value) throw new CommandRefused(refuse("request.invalid", `--tag takes name=value, not ${tag}`));
      return [name, value];
    }),
  );
}
