import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { createDockerRuntime } from "./runtime.ts";

const run = promisify(execFile);
const docker = async (...args: string[]) => (await run("docker", args)).stdout.trim();
const isHere = (image: string) =>
  docker("image", "inspect", image).then(
    () => true,
    () => false,
  );

/** An empty image of our own, under a name that nobody else has; gone with all its names at the end. */
async function emptyImage(labelled: string[] = []) {
  const id = randomBytes(4).toString("hex");
  const name = `registry.test/towline-${id}`;
  const importing = execFile("docker", ["import", ...labelled, "-", `${name}:one`]);
  importing.stdin?.end(Buffer.alloc(1024));
  await new Promise((resolve) => importing.once("close", resolve));
  const dispose = async () => {
    for (const each of [`${name}:one`, `${name}:two`, `${name}-other:one`])
      await docker("image", "rm", "--force", each).catch(() => {});
  };
  return { name, [Symbol.asyncDispose]: dispose };
}

test("an image is removed with its names in the same repository, and stays under those of others", async () => {
  await using image = await emptyImage();
  const { name } = image;
  const runtime = createDockerRuntime({ install: "images-test" });
  await docker("tag", `${name}:one`, `${name}:two`);
  await docker("tag", `${name}:one`, `${name}-other:one`);
  await runtime.removeImage(`${name}:one`);
  expect([await isHere(`${name}:one`), await isHere(`${name}:two`), await isHere(`${name}-other:one`)]).toEqual([
    ...[false, false, true],
  ]);
  await runtime.removeImage(`${name}:one`);
});

test("an image from which a container is made is in use", async () => {
  await using image = await emptyImage();
  const runtime = createDockerRuntime({ install: "images-test" });
  const container = await docker("create", `${image.name}:one`, "nothing");
  try {
    await expect(runtime.removeImage(`${image.name}:one`)).rejects.toMatchObject({ code: "in-use" });
  } finally {
    await docker("rm", container);
  }
  expect(await isHere(`${image.name}:one`)).toBe(true);
});

test("an image that is held outlives a removal of all unused images, until it is let go", async () => {
  // Only what carries this label: the engine is not ours alone.
  const mark = `towline.test=${randomBytes(8).toString("hex")}`;
  await using held = await emptyImage(["--change", `LABEL ${mark}`]);
  await using other = await emptyImage(["--change", `LABEL ${mark} other=yes`]);
  const runtime = createDockerRuntime({ install: `images-${randomBytes(4).toString("hex")}` });
  const image = `${held.name}:one`;
  await runtime.pull(image);
  await docker("image", "prune", "--all", "--force", "--filter", `label=${mark}`);
  expect([await isHere(image), await isHere(`${other.name}:one`)]).toEqual([true, false]);
  await expect(docker("image", "rm", image)).rejects.toThrow("is using its referenced image");
  expect((await runtime.heldImages()).map((each) => each.image)).toEqual([image]);
  await runtime.removeImage(image);
  expect([await isHere(image), await runtime.heldImages()]).toEqual([false, []]);
});
