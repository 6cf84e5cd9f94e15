import { statfs } from "node:fs/promises";
import type { Engine } from "#drivers/engine/engine.ts";
import type { AgentOptions } from "./agent.ts";
import { troubleOf } from "./trouble.ts";

const deadlineMs = 10_000;

/** Why a job that began now could only fail, for no fault of its own; undefined when nothing speaks against it. */
export async function whyNotReady({
  home,
  diskFloor,
  engine,
}: Pick<AgentOptions, "home" | "diskFloor" | "engine">): Promise<string | undefined> {
  const { bavail, bsize } = await statfs(home);
  if (bavail * bsize < diskFloor)
    return `the disk of ${home} has less than ${Math.round(diskFloor / 1024 / 1024)} MiB free`;
  return mustAnswer(engine).then(() => undefined, troubleOf);
}

/** Throws `EngineError` when Docker does not answer: then a failure was not the fault of what ran. */
export async function mustAnswer(engine: Engine): Promise<void> {
  await engine.json({ method: "GET", path: "/_ping" }, { deadlineMs });
}
