/** Objects by `git cat-file --batch`, which answers one question after the other as long as it is open. */
import { type ChildProcess, spawn } from "node:child_process";
import { stat } from "node:fs/promises";
import type { Socket } from "node:net";
import { GitError, type GitObject, type ObjectsRequest } from "./contract.ts";
import { gitEnvironment } from "./environment.ts";
import { createObjectParser, type ObjectParser } from "./object-parser.ts";

/** A process that nobody asks anything ends. */
const idleMs = 10_000;
/** Open at a time: the one that was asked longest ago makes room. */
const mostOpen = 16;
const defaultDeadlineMs = 30_000;

interface Reader {
  ask(request: ObjectsRequest): Promise<(GitObject | undefined)[]>;
  /** Ends it once what it was asked is answered. */
  close(): void;
  isOpen(): boolean;
}

export function createObjects(program: string): (request: ObjectsRequest) => Promise<(GitObject | undefined)[]> {
  /** By folder and environment, the one asked longest ago first. */
  const readers = new Map<string, Reader>();

  function readerFor(key: string, request: ObjectsRequest): Reader {
    const known = readers.get(key);
    readers.delete(key);
    const reader = known?.isOpen() ? known : openReader(program, request);
    readers.set(key, reader);
    for (const [other, each] of readers) {
      if (readers.size <= mostOpen) break;
      readers.delete(other);
      each.close();
    }
    return reader;
  }

  return async (request) => {
    if (request.names.length === 0) return [];
    const key = await keyOf(request);
    const known = readers.get(key);
    const reader = readerFor(key, request);
    return reader.ask(request).catch((error: unknown) => {
      // One that had answered before may have been killed since: that is no fault of this question.
      const wasKilled = reader === known && error instanceof GitError && error.reason === "signal";
      if (!wasKilled) throw error;
      return readerFor(key, request).ask(request);
    });
  };
}

/** A folder that was made anew under the same name is another one: an open process would go on in the old one. */
async function keyOf({ directory, env = {} }: ObjectsRequest): Promise<string> {
  const { dev, ino } = await stat(directory);
  return JSON.stringify([directory, dev, ino, env]);
}

interface Question {
  request: ObjectsRequest;
  parser: ObjectParser;
  answered: PromiseWithResolvers<(GitObject | undefined)[]>;
}

function startReading(program: string, { directory, env }: ObjectsRequest) {
  const child = spawn(program, ["cat-file", "--batch"], {
    env: gitEnvironment({ ...env, GIT_DIR: directory }),
    cwd: directory,
    stdio: ["pipe", "pipe", "ignore"],
  });
  child.stdin.on("error", () => {});
  return child;
}

function openReader(program: string, first: ObjectsRequest): Reader {
  const child = startReading(program, first);
  /** The first one is being answered. */
  const line: Question[] = [];
  let isOpen = true;
  let timer: NodeJS.Timeout | undefined;

  function fail(error: GitError): void {
    isOpen = false;
    clearTimeout(timer);
    child.kill("SIGKILL");
    for (const { answered } of line.splice(0)) answered.reject(error);
  }

  function close(): void {
    isOpen = false;
    if (line.length === 0) child.stdin.end();
  }

  function next(): void {
    clearTimeout(timer);
    const question = line[0];
    holdProcess(child, question !== undefined);
    if (!question) {
      if (!isOpen) return void child.stdin.end();
      timer = setTimeout(close, idleMs).unref();
      return;
    }
    const { names, deadlineMs = defaultDeadlineMs } = question.request;
    timer = setTimeout(() => fail(new GitError("deadline", "git cat-file was ended: deadline")), deadlineMs);
    child.stdin.write(names.map((name) => `${name}\n`).join(""));
  }

  function take(chunk: Buffer): void {
    const [question] = line;
    if (!question) return fail(new GitError("failed", "git cat-file said more than it was asked"));
    const { parser, answered } = question;
    const found = parser.take(chunk);
    if (found === "too-large") return fail(new GitError("output-limit", "git cat-file was ended: output-limit"));
    if (found === "more") return;
    line.shift();
    answered.resolve(found);
    next();
  }

  child.stdout.on("data", take);
  child.once("error", (error) => fail(new GitError("failed", `git cat-file did not start: ${error.message}`)));
  child.once("close", (code, signal) =>
    fail(new GitError(signal ? "signal" : "failed", `git cat-file ended with ${signal ?? code}`)),
  );

  return {
    ask(request) {
      const { names, limit } = request;
      if (names.some((name) => name.includes("\n"))) throw new Error("the name of an object has a line break");
      const question = { request, parser: createObjectParser(names.length, limit), answered: promiseOf() };
      line.push(question);
      if (line.length === 1) next();
      return question.answered.promise;
    },
    close,
    isOpen: () => isOpen,
  };
}

const promiseOf = () => Promise.withResolvers<(GitObject | undefined)[]>();

/** One that waits to be asked must not keep this process alive: it ends with its input, that is, with us. */
function holdProcess(child: ChildProcess, hold: boolean): void {
  const pipes = [child.stdin, child.stdout] as (Socket | null)[];
  for (const each of [child, ...pipes]) {
    if (hold) each?.ref();
    else each?.unref();
  }
}
