import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, open as openFile, rm } from "node:fs/promises";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { orThrow, refuse } from "#api/errors.ts";
import { until } from "#testing/until.ts";
import { type Answer, type ListenOptions, listenForTool } from "./listen.ts";
import { prepareTool } from "./tool-binary.ts";

let home: string;
let tool: string;

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), "towline-tool-"));
  const made = await prepareTool(home);
  tool = orThrow("folder" in made ? made.folder : refuse("host.tool-missing", made.missing));
});

afterAll(() => rm(home, { recursive: true, force: true }));

let sockets = 0;

async function open(answer: Answer, more: Partial<ListenOptions> = {}) {
  // Longer than the path of a socket may be.
  const folder = join(home, "x".repeat(120), String(sockets++));
  await mkdir(folder, { recursive: true });
  const listening = await listenForTool({ folder, answer, ...more });
  return { folder, [Symbol.asyncDispose]: () => listening[Symbol.asyncDispose]() };
}

/** Runs the tool beside its socket. */
async function call(folder: string, args: string[], { input, env = {} }: { input?: Buffer; env?: object } = {}) {
  const child = spawn(join(tool, "buildkite-agent"), args, {
    cwd: folder,
    env: { ...env, TOWLINE_AGENT_SOCKET: "agent.sock" },
    stdio: [input ? "pipe" : "ignore", "pipe", "pipe"],
  });
  child.stdin?.on("error", () => {});
  child.stdin?.end(input);
  const [stdout, stderr, [status]] = await Promise.all([
    text(child.stdout!),
    text(child.stderr!),
    once(child, "exit") as Promise<[number]>,
  ]);
  return { stdout, stderr, status };
}

/** A connection of its own, and its end. */
async function dial(folder: string, ...bytes: number[]): Promise<{ socket: Socket; closed: Promise<unknown> }> {
  await using opened = await openFile(folder, "r");
  const socket = connect(`/proc/self/fd/${opened.fd}/agent.sock`);
  socket.on("error", () => {}).resume();
  const closed = new Promise((resolve) => socket.once("close", resolve));
  await once(socket, "connect");
  socket.write(Buffer.from(bytes));
  return { socket, closed };
}

test("a call brings its name, arguments, folder and environment, and takes both outputs and the status", async () => {
  await using place = await open(async ({ args, folder, env, out, err }) => {
    await out(JSON.stringify([args, env["WORD"]]));
    await err(folder);
    return 100;
  });
  const said = await call(place.folder, ["meta-data", "", "a\nb", "ä"], { env: { WORD: "x=y" } });
  expect(JSON.parse(said.stdout)).toEqual([[join(tool, "buildkite-agent"), "meta-data", "", "a\nb", "ä"], "x=y"]);
  expect(said).toMatchObject({ stderr: place.folder, status: 100 });
});

test("standard input is read when somebody asks for it, and else left to the script", async () => {
  await using place = await open(async ({ args, input, out }) => {
    if (args[1] === "read") await out(await input(1024 * 1024));
    return 0;
  });
  const input = Buffer.from(Array.from({ length: 300_000 }, (_, at) => (at % 95) + 32));
  expect((await call(place.folder, ["read"], { input })).stdout).toBe(input.toString());
  expect((await call(place.folder, ["read"])).stdout).toBe("");
  const script = `printf 'a\\nb\\n' | while read line; do echo "$line"; ${tool}/towline-agent no; done`;
  const loop = await promisify(execFile)("/bin/sh", ["-c", script], {
    cwd: place.folder,
    env: { TOWLINE_AGENT_SOCKET: "agent.sock" },
  });
  expect(loop.stdout).toBe("a\nb\n");
});

test("more input than is taken ends the call with a word", async () => {
  await using place = await open(async ({ input }) => (await input(1_000), 0));
  const said = await call(place.folder, ["read"], { input: Buffer.alloc(500_000, 97) });
  expect(said).toMatchObject({ status: 1, stderr: "standard input has more than 1000 bytes\n" });
});

test("much output reaches a slow reader whole", async () => {
  await using place = await open(async ({ out }) => {
    for (let piece = 0; piece < 64; piece++) await out(Buffer.alloc(65_536, piece));
    return 0;
  });
  const child = spawn("/bin/sh", ["-c", `${tool}/towline-agent x | { sleep 0.3; cksum; }`], {
    cwd: place.folder,
    env: { TOWLINE_AGENT_SOCKET: "agent.sock", PATH: process.env["PATH"] },
  });
  expect(await text(child.stdout)).toMatch(/ 4194304\n$/);
});

test("a caller that goes ends its call; the end of the job ends them all", async () => {
  let [begun, ended] = [0, 0];
  const place = await open(async ({ signal }) => {
    begun++;
    await once(signal, "abort");
    ended++;
    return 0;
  });
  const child = spawn(join(tool, "towline-agent"), ["x"], {
    cwd: place.folder,
    env: { TOWLINE_AGENT_SOCKET: "agent.sock" },
    stdio: "ignore",
  });
  await until(() => begun === 1);
  child.kill("SIGKILL");
  await until(() => ended === 1);
  const calling = call(place.folder, ["x"]);
  await until(() => begun === 2);
  void place[Symbol.asyncDispose]();
  expect(await calling).toMatchObject({ status: 1, stderr: "towline-agent: the agent has gone\n" });
  expect(ended).toBe(2);
});

test("outside of a job the tool says so at once", async () => {
  expect(await call(home, ["meta-data", "get", "x"])).toMatchObject({
    status: 1,
    stderr: expect.stringContaining("this works only inside a job"),
  });
});

test("who says nothing, nonsense or too much is hung up on; others are still served", async () => {
  await using place = await open(async () => 0, { helloMs: 200 });
  const nonsense = [...Buffer.from("GET / HTTP/1.1\r\n\r\n")];
  const unasked = [68, 0, 0, 0, 1, 1];
  const sent = [[], nonsense, [72, 255, 255, 255, 255], unasked, [72, 0, 0, 0, 9]];
  const dialed = await Promise.all(sent.map((bytes) => dial(place.folder, ...bytes)));
  await Promise.all(dialed.map(({ closed }) => closed));
  expect(await call(place.folder, ["x"])).toMatchObject({ status: 0 });
});

test("a job has so many calls at a time, and no more", async () => {
  await using place = await open(async () => 0, { mostCalls: 4 });
  const idle = await Promise.all([1, 2, 3, 4].map(() => dial(place.folder)));
  expect(await call(place.folder, ["x"])).toMatchObject({
    status: 1,
    stderr: "towline-agent: the job has 4 calls open; wait for some to end\n",
  });
  idle.forEach(({ socket }) => socket.destroy());
  await until(async () => (await call(place.folder, ["x"])).status === 0);
});

test("one that calls while the agent is started anew waits for it", async () => {
  const place = await open(async () => 0);
  await place[Symbol.asyncDispose]();
  // The socket's file is there, and nobody behind it.
  const calling = call(place.folder, ["x"]);
  await new Promise((resolve) => setTimeout(resolve, 250));
  await using _ = await listenForTool({ folder: place.folder, answer: async () => 7 });
  expect(await calling).toMatchObject({ status: 7 });
});
