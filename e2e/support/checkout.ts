/** A service's repository as a developer has it: copied from e2e/services or examples, committed to, pushed with a real Git. */
import { execFile } from "node:child_process";
import { cp, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const run = promisify(execFile);
const services = fileURLToPath(new URL("../services/", import.meta.url));

export interface Checkout extends AsyncDisposable {
  folder: string;
  write(path: string, text: string): Promise<void>;
  git(...args: string[]): Promise<string>;
  /** Commits everything and answers the commit's hash. */
  commit(message: string): Promise<string>;
  /** Commits everything, pushes to the branch and answers the commit's hash. Rejects with Git's words when the push is refused. */
  push(message: string, branch?: string): Promise<string>;
}

export interface Remote {
  url: string;
  token: string;
  repository: string;
}

/** A new checkout with the files of `e2e/services/<service>`, which may be a way from there; nothing committed yet. */
export async function checkoutOf(service: string, { url, token, repository }: Remote): Promise<Checkout> {
  const folder = await mkdtemp(join(tmpdir(), "towline-checkout-"));
  await cp(join(services, service), folder, { recursive: true });
  const git = async (...args: string[]) =>
    (await run("git", args, { cwd: folder, env: environment(token), timeout: 120_000 })).stdout.trim();
  const commit = async (message: string) => {
    await git("add", "--all");
    await git("commit", "--quiet", "--allow-empty", "--message", message);
    return git("rev-parse", "HEAD");
  };
  await git("init", "--quiet", "--initial-branch=main");
  await git("remote", "add", "origin", `${url}/git/${repository}.git`);
  return {
    folder,
    git,
    write: (path, text) => writeFile(join(folder, path), text),
    commit,
    async push(message, branch = "main") {
      const hash = await commit(message);
      await git("push", "--quiet", "origin", `HEAD:refs/heads/${branch}`);
      return hash;
    },
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  };
}

function environment(token: string): Record<string, string> {
  const person = {
    GIT_AUTHOR_NAME: "Dev",
    GIT_AUTHOR_EMAIL: "dev@example.com",
    GIT_COMMITTER_NAME: "Dev",
    GIT_COMMITTER_EMAIL: "dev@example.com",
  };
  return {
    ...person,
    PATH: process.env["PATH"] ?? "",
    HOME: "/nonexistent",
    GIT_CONFIG_NOSYSTEM: "1",
    GIT_TERMINAL_PROMPT: "0",
    GIT_CONFIG_COUNT: "1",
    GIT_CONFIG_KEY_0: "http.extraHeader",
    GIT_CONFIG_VALUE_0: `Authorization: Basic ${Buffer.from(`dev:${token}`).toString("base64")}`,
  };
}
