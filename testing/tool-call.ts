/** The agent's command line as a job calls it, without container and socket: the server is real, the caller played. */
import { answerCall } from "#agent/job-tool/commands.ts";
import type { ToolJob } from "#agent/job-tool/command.ts";
import { createJobVariables } from "#agent/job-tool/job-variables.ts";
import { InputTooLarge } from "#agent/job-tool/listen.ts";
import { createLocks } from "#agent/job-tool/locks.ts";
import { maskText } from "#agent/masking.ts";
import type { Assignment } from "#api/endpoints/agent.ts";
import { connectJob } from "#client/job-server.ts";

export interface Said {
  status: number;
  stdout: string;
  stderr: string;
}

export interface ToolBox {
  job: ToolJob;
  /** The environment of whoever calls. */
  env: Record<string, string>;
  /** What the job has asked to be hidden. */
  hidden: string[];
  call(...args: string[]): Promise<Said>;
  /** The same with something on standard input. */
  feed(input: string, ...args: string[]): Promise<Said>;
}

/** The tool of a job that was leased from the server at the address. */
export function toolOf(url: string, assignment: Assignment, more: Partial<ToolJob> = {}): ToolBox {
  const hidden: string[] = [];
  const server = connectJob(url, assignment.credentials.password);
  const job: ToolJob = {
    ...{ assignment, server, client: server.client },
    variables: createJobVariables({ ...assignment.env, ...assignment.secrets }),
    locks: createLocks(),
    hide: async (value) => void hidden.push(value),
    workspace: { root: "/nonexistent", seen: "/workspace" },
    maskText: (text) => maskText(Object.values(assignment.secrets), text),
    ...more,
  };
  const { signal } = new AbortController();
  const env: Record<string, string> = {};
  async function feed(input: string, ...args: string[]): Promise<Said> {
    let stdout = "";
    let stderr = "";
    const status = await answerCall(job, {
      args: ["buildkite-agent", ...args],
      ...{ folder: "/workspace", env, signal },
      async input(limit) {
        if (Buffer.byteLength(input) > limit) throw new InputTooLarge(limit);
        return Buffer.from(input);
      },
      out: async (bytes) => void (stdout += typeof bytes === "string" ? bytes : Buffer.from(bytes).toString()),
      err: async (text) => void (stderr += text),
    });
    return { status, stdout, stderr };
  }
  return { job, env, hidden, feed, call: (...args) => feed("", ...args) };
}
