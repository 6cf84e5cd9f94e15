import { afterAll, beforeAll, expect, test } from "vitest";
import type { Assignment } from "#api/endpoints/agent.ts";
import { dockerLines } from "#drivers/compose/docker.ts";
import { type AgentBed, image, openAgentBed } from "#testing/agent-bed.ts";
import { jobToken, openTestRegistry, type OpenTestRegistry } from "#testing/registry.ts";
import { until } from "#testing/until.ts";
import { imageBuilder } from "#drivers/compose/image-builder.ts";
import { connectEngine } from "#drivers/engine/engine.ts";
import { createBuildCache } from "./built-images.ts";

let opened: OpenTestRegistry;
let bed: AgentBed;
let password: string;

beforeAll(async () => {
  opened = await openTestRegistry();
  bed = await openAgentBed((app) => opened.registry.images.register(app));
  password = await jobToken(opened.registry, { orders: ["pull", "push"] });
  await bed.start({ capacity: 2 });
});

const repository = () => `${new URL(bed.server.url).host}/orders`;
const tags = () => dockerLines("images", "--format", "{{.Repository}}:{{.Tag}}", repository());

afterAll(async () => {
  for (const tag of await tags()) await dockerLines("rmi", tag);
  await bed?.[Symbol.asyncDispose]();
  await opened?.[Symbol.asyncDispose]();
});

const work = { kind: "publish", service: "orders", context: ".", dockerfile: "Dockerfile", args: {} } as const;

function give(files: Record<string, string>, more: Partial<Assignment> & { args?: Record<string, string> } = {}) {
  const { args = {}, ...rest } = more;
  return bed.give({ ...work, args }, files, { credentials: { user: "job", password }, ...rest });
}

/** Built in no time; each word makes another image. BuildKit gives it the time of the image below. */
const dockerfile = (word: string) => `FROM ${image}\nARG WORD=${word}\nLABEL towline.test=$WORD\n`;

/** With a layer of its own, and so the time of its build. */
const withFile = (word: string) => ({
  Dockerfile: `FROM ${image}\nCOPY word.txt /\n`,
  "word.txt": `${word} ${process.pid}`,
});

test("the image is built, pushed, and reported by the digest that the registry has it under", async () => {
  const job = await give({ Dockerfile: dockerfile("one") }, { args: { WORD: "given" } });
  const result = await job.finished();
  const digest = result.image?.digest ?? "";
  expect(result).toEqual({
    outcome: "passed",
    exitStatus: 0,
    image: { reference: `${repository()}@${digest}`, digest },
  });
  expect(await opened.registry.images.has("orders", digest)).toBe(true);
  expect(job.log()).toMatch(/\n[0-9a-f]{12}: Pushed\n/);
  const tag = `${repository()}:${job.assignment.build.commit}`;
  const labels = await dockerLines("image", "inspect", "--format", "{{json .Config.Labels}}", tag);
  expect(JSON.parse(labels[0] ?? "")).toMatchObject({
    "org.opencontainers.image.revision": job.assignment.build.commit,
    "towline.test": "given",
  });
});

test("the first image of another service uploads only what is its own", async () => {
  const credentials = { user: "job", password: await jobToken(opened.registry, { cart: ["pull", "push"] }) };
  const files = { Dockerfile: `${dockerfile("cart")}COPY Dockerfile /cart-${process.pid}\n` };
  const job = await bed.give({ ...work, service: "cart", args: {} }, files, { credentials });
  expect(await job.finished()).toMatchObject({ outcome: "passed" });
  await dockerLines("rmi", `${repository().replace("orders", "cart")}:${job.assignment.build.commit}`);
  expect(
    job
      .log()
      .match(/: (Mounted from orders|Pushed)$/gm)
      ?.toSorted(),
  ).toEqual([": Mounted from orders", ": Pushed"]);
});

test("of many builds the newest images stay on the agent's engine", async () => {
  for (const word of ["two", "three", "four", "five"])
    expect(await (await give({ Dockerfile: dockerfile(word) })).finished()).toMatchObject({ outcome: "passed" });
  expect((await tags()).length).toBe(3);
});

test("images that were built for a registry at another address count too, and what somebody made of one stays", async () => {
  const [newest = ""] = await tags();
  const revision = newest.split(":").at(-1) ?? "";
  const former = `former.test:5000/orders:preview-${revision}`;
  const others = `former.test:5000/orders:made-by-somebody-${process.pid}`;
  await dockerLines("tag", newest, former);
  await dockerLines("tag", newest, others);
  for (const word of ["six", "seven", "eight"]) await (await give(withFile(`${word}, newer`))).finished();
  const left = await dockerLines("images", "--format", "{{.Repository}}:{{.Tag}}", "former.test:5000/orders");
  await dockerLines("rmi", others);
  expect(left).toEqual([others]);
  expect((await tags()).length).toBe(3);
});

test("one of layers that were built before stays as the newest, and the next build begins with them", async () => {
  for (const word of ["first", "second", "third", "fourth"]) await (await give(withFile(word))).finished();
  const again = await give(withFile("first"));
  expect(await again.finished()).toMatchObject({ outcome: "passed" });
  expect(again.log()).toMatch(/CACHED|Using cache/);
  expect(await tags()).toContain(`${repository()}:${again.assignment.build.commit}`);
  expect((await tags()).length).toBe(3);
});

test("what only the builder keeps goes when there is no room", async () => {
  const { name } = await imageBuilder();
  expect(await createBuildCache(connectEngine()).removeOldest()).toBe(name === "BuildKit");
});

test("one that a container stands on stays", async () => {
  const oldest = (await tags()).at(-1) ?? "";
  const container = `towline-stands-${process.pid}`;
  await dockerLines("create", "--name", container, oldest, "nothing");
  try {
    for (const word of ["eight", "nine", "ten"]) await (await give({ Dockerfile: dockerfile(word) })).finished();
    expect(await tags()).toContain(oldest);
  } finally {
    await dockerLines("rm", container);
  }
});

test("a build that fails shows why and keeps its exit status", async () => {
  const complaint = `cannot compile ${process.pid}`;
  const job = await give({ Dockerfile: `FROM ${image}\nRUN echo ${complaint}; exit 7\n` });
  expect(await job.finished()).toEqual({
    outcome: "failed",
    exitStatus: expect.any(Number),
    reason: "the image could not be built",
  });
  expect(job.log()).toContain(complaint);
  expect((await dockerLines("ps", "-a", "--no-trunc")).join("\n")).not.toContain(complaint);
});

test("a Dockerfile that is missing or outside of the repository is told by its name", async () => {
  const reason = (path: string) => `the repository has no ${path}, or it leads out of the repository`;
  for (const path of ["missing/Dockerfile", "../../../../../etc/hostname"]) {
    const job = await bed.give({ ...work, dockerfile: path }, {}, { credentials: { user: "job", password } });
    expect(await job.finished()).toEqual({ outcome: "failed", reason: reason(path) });
  }
});

test("a push that the registry refuses is no failed build", async () => {
  const job = await give({ Dockerfile: dockerfile("one") }, { credentials: { user: "job", password: "tw_wrong" } });
  const result = await job.finished();
  expect(result).toMatchObject({ outcome: "failed", reason: expect.stringContaining("could not be pushed") });
  expect(result.exitStatus).toBeUndefined();
});

test("a cancel ends the build on the engine too", async () => {
  const job = await give({ Dockerfile: `FROM ${image}\nRUN echo is building ${process.pid}; sleep 1000\n` });
  await until(() => new RegExp(`^(#\\d+ [\\d.]+ )?is building ${process.pid}$`, "m").test(job.log()), {
    deadlineMs: 60_000,
    describe: job.log,
  });
  job.standing = "canceled";
  expect(await job.finished()).toMatchObject({ outcome: "canceled" });
  const containers = async () => (await dockerLines("ps", "-a", "--no-trunc", "--format", "{{.Command}}")).join("\n");
  await until(async () => !(await containers()).includes(`is building ${process.pid}`));
});
