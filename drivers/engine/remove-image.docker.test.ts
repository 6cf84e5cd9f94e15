import { spawnSync } from "node:child_process";
import { expect, test } from "vitest";
import { dockerLines } from "#drivers/compose/docker.ts";
import { connectEngine } from "./engine.ts";
import { removeImage } from "./remove-image.ts";

const engine = connectEngine();
const limits = { deadlineMs: 60_000 };
const repository = `towline-test-${crypto.randomUUID().slice(0, 8)}`;

/** Answers its id. `shared` images stand on the same layers. */
async function build(shared: string, own: string): Promise<string> {
  const lines = Array.from({ length: 8 }, (_, n) => `LABEL shared${n}=${shared}`);
  const dockerfile = ["FROM scratch", ...lines, `LABEL own=${own}`].join("\n");
  const name = `${repository}:${shared}-${own}`;
  // By the builder whose layers are images, which has them in common.
  const env = { ...process.env, DOCKER_BUILDKIT: "0" };
  const { status, stderr } = spawnSync("docker", ["build", "--quiet", "--tag", name, "-"], { input: dockerfile, env });
  expect(status, stderr.toString()).toBe(0);
  const [id] = await dockerLines("image", "inspect", "--format", "{{.Id}}", name);
  return id ?? "";
}

test("an image is gone after its removal, and after the next", async () => {
  const id = await build("once", "a");
  expect([await removeImage(engine, id, limits), await removeImage(engine, id, limits)]).toEqual(["gone", "gone"]);
  expect(await dockerLines("images", "--quiet", repository)).toEqual([]);
});

test("one that a container stands on is in use", async () => {
  const id = await build("used", "a");
  const [container = ""] = await dockerLines("create", id, "nothing");
  expect(await removeImage(engine, id, limits)).toBe("in-use");
  await dockerLines("rm", container);
  expect(await removeImage(engine, id, limits)).toBe("gone");
});

test("images that share layers can be removed at one time; one that meets another's removal goes with the next", async () => {
  for (let round = 0; round < 4; round++) {
    const ids = [];
    for (const own of ["a", "b", "c", "d"]) ids.push(await build(`round${round}`, own));
    await Promise.all(ids.map((id) => removeImage(engine, id, limits)));
    for (const id of ids) expect(await removeImage(engine, id, limits)).toBe("gone");
  }
  expect(await dockerLines("images", "--quiet", repository)).toEqual([]);
});
