import { statfs } from "node:fs/promises";
import type { Engine } from "#drivers/engine/engine.ts";
import type { AgentContext } from "./agent-context.ts";
import { troubleOf } from "./trouble.ts";

const deadlineMs = 10_000;

/** Why a job that began now could only fail, for no fault of its own; undefined when nothing speaks against it. */
export async function whyNotReady({
  home,
  diskFloor,
  engine,
  room,
}: Pick<AgentContext, "home" | "diskFloor" | "engine" | "room">): Promise<string | undefined> {
  if (!(await room.make())) return `the disk of ${home} has less than ${Math.round(diskFloor / 1024 / 1024)} MiB free`;
  return mustAnswer(engine).then(() => undefined, troubleOf);
}

export async function freeBytes(folder: string): Promise<number> {
  const { bavail, bsize } = await statfs(folder);
  return bavail * bsize;
}

/** Throws `EngineError` when Docker does not answer: then a failure was not the fault of what ran. */
export async function mustAnswer(engine: Engine): Promise<void> {
  await engine.json({ method: "GET", path: "/_ping" }, { deadlineMs });
}
