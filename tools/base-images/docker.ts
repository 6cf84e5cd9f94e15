import { type Answer, type Call, lastWords, run } from "../host/process.ts";

/** On images that were made here: the content stamp, and the version of the program in it. */
export const stampLabel = "dev.towline.base.stamp";
export const versionLabel = "dev.towline.base.version";

export interface ImageFacts {
  id: string;
  bytes: number;
  labels: Record<string, string>;
}

/** Calls the docker command line; throws with its last words when it fails. */
export async function docker(args: string[], call: Call = {}): Promise<Answer> {
  const answer = await run(["docker", ...args], call);
  if (answer.code !== 0) throw new Error(`docker ${args[0]} failed (${answer.code}):\n${lastWords(answer)}`);
  return answer;
}

export async function inspectImage(image: string): Promise<ImageFacts | undefined> {
  const answer = await run(["docker", "image", "inspect", "--format", "{{json .}}", image]);
  if (answer.code !== 0) return undefined;
  const facts = JSON.parse(answer.stdout) as {
    Id: string;
    Size: number;
    Config: { Labels: Record<string, string> | null };
  };
  return { id: facts.Id, bytes: facts.Size, labels: facts.Config.Labels ?? {} };
}

const scratchName = /^towline-base-[a-z]+-(\d+)$/;

/**
 * A container that is removed at the end of the scope, and by the next run should this process not get that far. Its
 * name tells whose it is: a label would end up in the image, and so in every container made from it.
 */
export function scratchContainer(name: string) {
  const full = `towline-base-${name}-${process.pid}`;
  return {
    name: full,
    async [Symbol.asyncDispose]() {
      await run(["docker", "rm", "--force", "--volumes", full]);
    },
  };
}

/** Removes scratch containers of processes that are gone. */
export async function removeOrphans(): Promise<void> {
  const { stdout } = await docker(["ps", "--all", "--filter", "name=^/towline-base-", "--format", "{{.Names}}"]);
  const orphans = stdout.split("\n").filter((name) => {
    const pid = scratchName.exec(name)?.[1];
    return pid !== undefined && !isAlive(Number(pid));
  });
  if (orphans.length > 0) await run(["docker", "rm", "--force", "--volumes", ...orphans]);
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
