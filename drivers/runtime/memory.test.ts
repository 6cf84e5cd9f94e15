import { expect, test } from "vitest";
import { runtimeConformance } from "./conformance.ts";
import type { ContainerSpec, InstanceSpec } from "./contract.ts";
import { type Behaviour, createMemoryRuntime, type PlayProgram } from "./memory.ts";

const programs: Record<string, Behaviour> = {
  serve: { output: ["ready"] },
  toil: { busy: 1 },
  rude: { afterMs: 60_000, ignoresStop: true },
  crash: { output: ["boom"], exitCode: 3 },
  flaky: { exitCode: 4, afterMs: 20 },
  print: { output: Array.from({ length: 300 }, (_, index) => `line ${index + 1}`), exitCode: 5 },
};
const behave = ({ command }: ContainerSpec): Behaviour => programs[command?.[0] ?? ""] ?? {};

const play: PlayProgram = ([name], { input, terminal, running }) => {
  if (name === "copy") return { exitCode: 0, output: input.toString() };
  if (name === "fail") return { exitCode: 6, errors: ["no luck"] };
  if (name === "measure") return { exitCode: 7, output: `${terminal?.columns}x${terminal?.rows}` };
  if (name === "waiting") return { exitCode: 0, output: String(running.filter(([other]) => other === "wait").length) };
  return name === "wait" ? new Promise(() => {}) : undefined;
};

runtimeConformance("the runtime in memory", async () => ({
  runtime: createMemoryRuntime({ images: ["here"], behave, play }),
  image: "here",
  missingImage: "nowhere",
  startMs: 20,
  commands: { serve: ["serve"], toil: ["toil"], rude: ["rude"], crash: ["crash"], flaky: ["flaky"], print: ["print"] },
  programs: { copy: ["copy"], fail: ["fail"], wait: ["wait"], waiting: ["waiting"], measure: ["measure"] },
  async [Symbol.asyncDispose]() {},
}));

const spec: InstanceSpec = {
  name: "a",
  environment: "test",
  kind: "service",
  image: "here",
  env: {},
  labels: {},
  cpu: 1,
  memory: 1,
};

test("the runtime in memory can lose its engine and its registry", async () => {
  const runtime = createMemoryRuntime({ images: ["here"], registry: ["there"] });
  runtime.registryDown = true;
  await expect(runtime.pull("there")).rejects.toMatchObject({ code: "registry-unreachable" });
  await runtime.pull("here");
  runtime.registryDown = false;
  await runtime.pull("there");
  runtime.engineDown = true;
  await expect(runtime.list({})).rejects.toMatchObject({ code: "docker-unreachable" });
});

test("an instance in memory can crash", async () => {
  const runtime = createMemoryRuntime({ images: ["here"] });
  await runtime.ensureNetwork("test");
  const { id } = await runtime.start(spec);
  runtime.crash(id, 9);
  expect(await runtime.inspect(id)).toMatchObject({ state: "restarting", exitCode: 9, restarts: 1 });
});
