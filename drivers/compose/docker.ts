import { execFile } from "node:child_process";

const docker = { deadlineMs: 30_000, outputBytes: 4 * 1024 * 1024 };

/** What a `docker` command said; `code` is its exit status. */
export interface DockerAnswer {
  code: number;
  stdout: string;
  stderr: string;
}

/** Runs one `docker` command that answers quickly. Throws when there is no `docker`, or none that ends within 30 s. */
export function askDocker(args: readonly string[]): Promise<DockerAnswer> {
  return askCommand("docker", args);
}

/** As `askDocker`, for any command. */
export function askCommand(
  command: string,
  args: readonly string[],
  more: { cwd?: string; env?: Record<string, string> } = {},
): Promise<DockerAnswer> {
  return new Promise((resolve, reject) => {
    const limits = { timeout: docker.deadlineMs, maxBuffer: docker.outputBytes, killSignal: "SIGKILL" as const };
    execFile(command, [...args], { ...limits, ...more, env: more.env ?? hostEnv() }, (error, stdout, stderr) => {
      if (error === null) resolve({ code: 0, stdout, stderr });
      else if (typeof error.code === "number") resolve({ code: error.code, stdout, stderr });
      else reject(error);
    });
  });
}

/** Lines of a `docker` command's output. Throws with its message when it fails. */
export async function dockerLines(...args: string[]): Promise<string[]> {
  const answer = await askDocker(args);
  if (answer.code !== 0) throw new Error(`docker ${args[0]} failed: ${answer.stderr.trim()}`);
  return answer.stdout.split("\n").filter((line) => line !== "");
}

const hostNames =
  /^(PATH|HOME|USER|LANG|TMPDIR|XDG_RUNTIME_DIR|SSH_AUTH_SOCK|DOCKER_.*|BUILDKIT_.*|BUILDX_.*|(HTTPS?|NO)_PROXY|(https?|no)_proxy)$/;

/** Of this process's environment only what a client needs to reach the engine: its tokens are nobody else's business. */
export function hostEnv(): Record<string, string> {
  const entries = Object.entries(process.env).filter(([name, value]) => hostNames.test(name) && value !== undefined);
  return Object.fromEntries(entries) as Record<string, string>;
}
