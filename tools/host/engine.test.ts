import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { expect, test } from "vitest";
import { isRefusal } from "#api/errors.ts";
import { ensureDocker } from "./docker.ts";
import { askEngine } from "./engine.ts";
import { lastWords, run } from "./process.ts";
import { findProgram } from "./programs.ts";

/** Puts a `docker` before the real one for the length of a scope. */
async function dockerThat(script: string): Promise<AsyncDisposable> {
  const folder = await mkdtemp(join(tmpdir(), "towline-docker-"));
  const before = process.env["PATH"] ?? "";
  await writeFile(join(folder, "docker"), `#!/bin/sh\n${script}\n`);
  await chmod(join(folder, "docker"), 0o755);
  process.env["PATH"] = `${folder}${delimiter}${before}`;
  return {
    async [Symbol.asyncDispose]() {
      process.env["PATH"] = before;
      await rm(folder, { recursive: true });
    },
  };
}

test("an engine that answers is running", async () => {
  await using _docker = await dockerThat("echo 27.1.2");
  expect(await askEngine()).toEqual({ state: "running", version: "27.1.2" });
});

test("an engine that is there for others only is told apart from one that is silent", async () => {
  const denied = "permission denied while trying to connect to the Docker daemon socket";
  await using _docker = await dockerThat(`echo "${denied}" >&2; exit 1`);
  expect(await askEngine()).toEqual({ state: "forbidden", said: denied });
  const answer = await ensureDocker({ assumeYes: true, interactive: false, log: () => {} });
  expect(isRefusal(answer) && answer).toMatchObject({ refused: "host.docker-missing" });
});

test("a client without an engine is silent", async () => {
  await using _docker = await dockerThat('echo "Cannot connect to the Docker daemon" >&2; exit 1');
  expect((await askEngine()).state).toBe("silent");
});

test("an engine that DOCKER_HOST names elsewhere is never replaced by one here", async () => {
  await using _docker = await dockerThat('echo "Cannot connect" >&2; exit 1');
  process.env["DOCKER_HOST"] = "tcp://127.0.0.1:9";
  try {
    const answer = await ensureDocker({ assumeYes: true, interactive: false, log: () => {} });
    expect(isRefusal(answer) && answer.message).toContain("DOCKER_HOST is tcp://127.0.0.1:9");
  } finally {
    delete process.env["DOCKER_HOST"];
  }
});

test("a program that is missing, fails or hangs is an answer, not a throw", async () => {
  expect((await run(["towline-no-such-program"])).code).toBe(127);
  const failed = await run(["sh", "-c", "echo out; echo err >&2; exit 3"]);
  expect(failed).toEqual({ code: 3, stdout: "out", stderr: "err" });
  expect(lastWords(failed)).toBe("out\nerr");
  expect((await run(["sleep", "30"], { timeoutMs: 20 })).code).toBe(124);
});

test("programs are found beside PATH too", async () => {
  expect(await findProgram("sh")).toMatch(/\/sh$/);
  expect(await findProgram("towline-no-such-program")).toBeUndefined();
});
