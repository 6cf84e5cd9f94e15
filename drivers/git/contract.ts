/**
 * The seam to the `git` program. Every process gets its arguments as an array, an environment that holds only what is named
 * here, settings that no file of the machine can change, and a deadline; it runs in a process group of its own, so that
 * ending it ends its children too.
 */
import type { Duplex, Readable, Writable } from "node:stream";

export interface GitRequest {
  /** Absolute path of the bare repository. */
  directory: string;
  args: readonly string[];
  /** Variables beside the clean ones. */
  env?: Record<string, string>;
  input?: string;
  /** Most bytes of standard output; default 32 MiB. */
  outputLimit?: number;
  /** Milliseconds; default 30 seconds. */
  deadlineMs?: number;
}

export interface GitResult {
  code: number;
  stdout: Buffer;
  /** At most 64 KiB. */
  stderr: string;
}

export interface ObjectsRequest extends Pick<GitRequest, "directory" | "env" | "deadlineMs"> {
  /** As `git cat-file --batch` takes them, such as `main^{commit}` or `<revision>:<path>`; no line breaks. */
  names: readonly string[];
  /** Most bytes of one object. */
  limit: number;
}

export interface GitObject {
  id: string;
  /** `commit`, `tree`, `blob` or `tag`. */
  type: string;
  content: Buffer;
}

export interface CgiRequest {
  /** Folder of all repositories. */
  root: string;
  /** CGI variables (RFC 3875), and what the hooks read. */
  env: Record<string, string>;
  /** Folder of the hooks that receive-pack calls. */
  hooks: string;
  /** Largest pack that a push may bring, in bytes. */
  maxPackBytes: number;
  deadlineMs: number;
}

export interface Cgi {
  /** The request's body goes here, as it arrived. */
  input: Writable;
  /** Head and body of the CGI answer. */
  output: Readable;
  /** File descriptor 3 of every process of the group: closes when this server dies. Read it, or `ended` never settles. */
  channel: Duplex;
  /** Settles when all processes of the group have ended; never rejects. */
  ended: Promise<{ code: number; stderr: string }>;
  /** Ends the process group: SIGTERM, at which git removes its temporary files and locks, then SIGKILL. */
  kill(): void;
}

export interface Git {
  /** Runs to the end and answers any exit code. Throws `GitError` at the deadline, over the limit, or on a signal. */
  run(request: GitRequest): Promise<GitResult>;
  /** As `run`, but a code other than 0 throws too. Answers standard output. */
  read(request: GitRequest): Promise<Buffer>;
  /**
   * Objects in the order of their names, undefined where nothing has that name. Throws `GitError`, `output-limit` when one is larger
   * than `limit`. A process that answers stays for a while, as starting one costs more than most answers.
   */
  objects(request: ObjectsRequest): Promise<(GitObject | undefined)[]>;
  /** Starts `git http-backend` for one request. */
  serve(request: CgiRequest): Cgi;
}

/** Git itself broke or was ended; what users can cause comes as an exit code. */
export class GitError extends Error {
  readonly reason: "failed" | "deadline" | "output-limit" | "signal";
  constructor(reason: GitError["reason"], message: string) {
    super(message);
    this.name = "GitError";
    this.reason = reason;
  }
}
