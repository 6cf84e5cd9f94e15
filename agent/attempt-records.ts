/** What is known of each attempt whose container has been made, so that an agent that was killed and started anew goes on with it. */
import { mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { assignment } from "#api/endpoints/agent.ts";

/** A value that the job asked to have hidden when so many bytes had come from its container. */
const lateSecret = z.object({ at: z.number(), value: z.string() });
export type LateSecret = z.output<typeof lateSecret>;

const record = z.object({
  assignment,
  /** Base64 of the log before the container's first byte, masked. */
  opening: z.base64(),
  lateSecrets: z.array(lateSecret),
  /** Milliseconds since 1970 at which the job's time began to run. */
  startedAt: z.number(),
});
export type AttemptRecord = z.output<typeof record>;

export interface AttemptRecords {
  keep(name: string, record: AttemptRecord): Promise<void>;
  forget(name: string): Promise<void>;
  /** By name of the attempt. What cannot be read is forgotten. */
  all(): Promise<Map<string, AttemptRecord>>;
}

/**
 * One file for each, readable by the agent's user alone, for the job's secrets are in it; gone with the attempt. It is written whole or
 * not at all, but not to survive a loss of power: the container does not either.
 */
export function createAttemptRecords(home: string): AttemptRecords {
  const folder = join(home, "attempts");
  const pathOf = (name: string) => join(folder, `${name}.json`);
  const forget = (name: string) => rm(pathOf(name), { force: true });

  async function all(): Promise<Map<string, AttemptRecord>> {
    const found = new Map<string, AttemptRecord>();
    for (const file of await readdir(folder).catch(() => [])) {
      const name = file.replace(/\.json$/, "");
      const known = await readFile(join(folder, file), "utf8").then(parse);
      if (known) found.set(name, known);
      else await rm(join(folder, file), { force: true });
    }
    return found;
  }

  return {
    async keep(name, content) {
      await mkdir(folder, { recursive: true, mode: 0o700 });
      const passing = `${pathOf(name)}.new`;
      await writeFile(passing, JSON.stringify(content), { mode: 0o600 });
      await rename(passing, pathOf(name));
    },
    forget,
    all,
  };
}

function parse(text: string): AttemptRecord | undefined {
  try {
    return record.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}
