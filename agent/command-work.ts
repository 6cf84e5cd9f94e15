import type { JobResult, Work } from "#api/endpoints/agent.ts";
import { agentLabel, docker, removeContainer } from "./containers.ts";
import type { JobContext } from "./run-job.ts";

/** Runs the commands of a step by one shell in a container that sees the workspace; the first that fails ends it. */
export async function runCommands(context: JobContext, work: Extract<Work, { kind: "command" }>): Promise<JobResult> {
  const { agent, assignment, workspace, name, ended, log } = context;
  const image = work.image ?? agent.defaultImage;
  const env: Record<string, string> = { ...assignment.env, ...assignment.secrets };
  await log.say(`~~~ Commands in ${image}`);
  const args = [
    ...["run", "--rm", "--name", name, "--label", `${agentLabel}=${agent.id}`, "--init"],
    ...[
      "--volume",
      `${workspace}:/workspace`,
      "--workdir",
      "/workspace",
      "--pids-limit",
      "4096",
      "--security-opt",
      "no-new-privileges",
    ],
    ...asOurselves(),
    // By name only: the values go by the client's environment, not by arguments that every user can read.
    ...Object.keys(env).flatMap((variable) => ["--env", variable]),
    ...["--entrypoint", "/bin/sh", image, "-e", "-c", script(work.commands)],
  ];
  try {
    const exitStatus = await docker({ args, env, signal: ended, onOutput: (bytes) => log.write(bytes) });
    return verdict(exitStatus);
  } finally {
    await removeContainer(name);
  }
}

/** Shows each command before it runs, as people expect of a build log. */
function script(commands: string[]): string {
  return commands.map((command) => `printf '%s\\n' ${quote(`$ ${command}`)}\n${command}`).join("\n");
}

function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

/** An agent that is not root could not remove files that root made in the workspace. */
function asOurselves(): string[] {
  const uid = process.getuid?.();
  return uid ? ["--user", `${uid}:${process.getgid?.() ?? uid}`] : [];
}

/** 125 is Docker's own: the container never ran. */
function verdict(exitStatus: number): JobResult {
  if (exitStatus === 0) return { outcome: "passed", exitStatus };
  if (exitStatus === 125)
    return { outcome: "failed", reason: "the container could not be started; Docker's message is above" };
  if (exitStatus === 137) return { outcome: "failed", exitStatus, reason: "it was killed, perhaps for want of memory" };
  return { outcome: "failed", exitStatus };
}
