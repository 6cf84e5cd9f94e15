import { spawn } from "node:child_process";
import { once } from "node:events";
import { expect, test } from "vitest";
import { until } from "#testing/until.ts";
import { runAttached, type ProcessRequest } from "./run-attached.ts";

const env = { PATH: process.env["PATH"] ?? "/usr/bin:/bin" };

function shell(script: string, more: Partial<ProcessRequest> = {}) {
  const said = { stdout: "", stderr: "" };
  const { signal } = new AbortController();
  const request: ProcessRequest = {
    ...{ command: "/bin/sh", args: ["-c", script], env, signal },
    onOutput: (bytes, stream) => void (said[stream] += bytes.toString()),
    ...more,
  };
  return { said, end: runAttached(request) };
}

const isRunning = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

test("both outputs and the exit code arrive", async () => {
  const { said, end } = shell("echo out; echo err >&2; exit 7");
  expect(await end).toBe(7);
  expect(said).toEqual({ stdout: "out\n", stderr: "err\n" });
});

test("it sees the given variables and arguments as they are, and nothing of ours", async () => {
  const odd = "two\nlines $HOME 'quoted'";
  const { said, end } = shell(`printf '%s|%s|%s' "$ODD" "$1" "\${HOME-none}"`, {
    env: { ...env, ODD: odd },
    args: ["-c", `printf '%s|%s|%s' "$ODD" "$1" "\${HOME-none}"`, "sh", odd],
  });
  await end;
  expect(said.stdout).toBe(`${odd}|${odd}|none`);
});

test("a missing command is exit code 127, a missing folder a throw", async () => {
  expect(await shell("", { command: "/nowhere/at-all" }).end).toBe(127);
  await expect(shell("true", { cwd: "/nowhere/at-all" }).end).rejects.toThrow("ENOENT");
});

test("the signal ends it with all its children, whatever they ignore", async () => {
  const abort = new AbortController();
  const { said, end } = shell("trap '' TERM; sleep 1000 & echo $!; wait", { signal: abort.signal });
  await until(() => said.stdout.endsWith("\n"));
  abort.abort();
  expect(await end).toBe(137);
  await until(() => !isRunning(Number(said.stdout)));
});

test("a signal that has fired already lets nothing run for long", async () => {
  expect(await shell("sleep 1000", { signal: AbortSignal.abort() }).end).toBe(137);
});

test("a child that is left behind does not keep it open, and is killed", async () => {
  const { said, end } = shell("sleep 1000 & echo $!; exit 3");
  expect(await end).toBe(3);
  await until(() => !isRunning(Number(said.stdout)));
});

test("a reader that throws ends it", async () => {
  const onOutput = () => Promise.reject(new Error("no room"));
  await expect(shell("while :; do echo y; done", { onOutput }).end).rejects.toThrow("no room");
});

test("a slow reader slows it down instead of filling the memory", async () => {
  let seen = 0;
  const gate = Promise.withResolvers<void>();
  const { end } = shell("head -c 5000000 /dev/zero", {
    onOutput: async (bytes) => {
      seen += bytes.length;
      await gate.promise;
    },
  });
  await until(() => seen > 0);
  expect(seen).toBeLessThan(200_000);
  gate.resolve();
  await end;
  expect(seen).toBe(5_000_000);
});

test("kill -9 of this process ends it too", async () => {
  const file = new URL("run-attached.ts", import.meta.url).pathname;
  const code = `import { runAttached } from ${JSON.stringify(file)};
    await runAttached({ command: "/bin/sh", args: ["-c", "echo $$; sleep 1000"], env: process.env,
      signal: new AbortController().signal, onOutput: (bytes) => void process.stdout.write(bytes) });`;
  const parent = spawn(process.execPath, ["--input-type=module-typescript", "-e", code], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let said = "";
  parent.stdout.on("data", (bytes: Buffer) => (said += bytes.toString()));
  await until(() => said.endsWith("\n"));
  expect(isRunning(Number(said))).toBe(true);
  parent.kill("SIGKILL");
  await once(parent, "exit");
  await until(() => !isRunning(Number(said)));
});
