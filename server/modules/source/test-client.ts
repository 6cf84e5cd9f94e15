/** A real git client in folders of its own, for the tests of this module. */
import { execFile } from "node:child_process";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { devNull, tmpdir } from "node:os";
import { dirname, join, resolve as pathOf } from "node:path";

export interface Ran {
  code: number;
  stdout: string;
  stderr: string;
}

export class GitClient implements AsyncDisposable {
  readonly folder: string;

  private constructor(folder: string) {
    this.folder = folder;
  }

  static async open(): Promise<GitClient> {
    return new GitClient(await mkdtemp(join(tmpdir(), "towline-git-client-")));
  }

  /** Runs git in a folder, relative to this client's own, and answers any exit code. */
  run(inside: string, ...args: string[]): Promise<Ran> {
    return this.#run(inside, args, "");
  }

  #run(inside: string, args: string[], input: string): Promise<Ran> {
    const env = {
      PATH: process.env["PATH"] ?? "",
      HOME: this.folder,
      LC_ALL: "C",
      GIT_CONFIG_NOSYSTEM: "1",
      GIT_CONFIG_GLOBAL: devNull,
      GIT_TERMINAL_PROMPT: "0",
      GIT_AUTHOR_NAME: "Ada",
      GIT_AUTHOR_EMAIL: "ada@example.com",
      GIT_COMMITTER_NAME: "Ada",
      GIT_COMMITTER_EMAIL: "ada@example.com",
    };
    const options = { cwd: pathOf(this.folder, inside), env, maxBuffer: 16 * 1024 * 1024 };
    const settings = [
      "-c",
      "core.compression=0",
      "-c",
      "gc.auto=0",
      "-c",
      "core.fsync=none",
      "-c",
      "protocol.file.allow=always",
    ];
    return new Promise((resolve) => {
      const child = execFile("git", [...settings, ...args], options, (error, stdout, stderr) =>
        resolve({ code: error ? Number(error.code ?? -1) : 0, stdout: stdout.trim(), stderr }),
      );
      if (input !== "") child.stdin?.end(input);
    });
  }

  /** As `run`, for what must work. */
  ok(inside: string, ...args: string[]): Promise<string> {
    return this.#ok(inside, args, "");
  }

  /** So many branches `b0`, `b1`… of a commit each. */
  async branches(inside: string, count: number): Promise<void> {
    const commits = Array.from(
      { length: count },
      (_, index) => `commit refs/heads/b${index}\ncommitter Ada <ada@example.com> ${index} +0000\ndata 1\nb\n`,
    );
    await this.#ok(inside, ["fast-import", "--quiet"], commits.join("\n"));
  }

  async #ok(inside: string, args: string[], input: string): Promise<string> {
    const { code, stdout, stderr } = await this.#run(inside, args, input);
    if (code !== 0) throw new Error(`git ${args.join(" ")} ended with ${code}: ${stderr}`);
    return stdout;
  }

  /** A new working copy with `origin` at that address. */
  async create(name: string, origin: string): Promise<void> {
    await this.ok(".", "init", "--quiet", "--initial-branch=main", name);
    await this.ok(name, "remote", "add", "origin", origin);
  }

  /** Writes a file and commits it. Answers the commit. */
  async commit(name: string, path: string, content: string | Buffer): Promise<string> {
    const file = join(this.folder, name, path);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, content);
    await this.ok(name, "add", "--", path);
    await this.ok(name, "commit", "--quiet", "-m", `Change ${path}`);
    return this.ok(name, "rev-parse", "HEAD");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.folder, { recursive: true, force: true });
  }
}

/** The address of a repository with the token in it. */
export function addressOf(url: string, token: string, repository: string): string {
  const address = new URL(`/git/${repository}.git`, url);
  address.username = "git";
  address.password = token;
  return address.href;
}
