import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { connectEngine } from "#drivers/engine/engine.ts";
import { createRuntimeBed, type RuntimeBed } from "#testing/runtime-bed.ts";
import { startTinyRegistry, type TinyRegistry } from "#testing/tiny-registry.ts";
import { until } from "#testing/until.ts";
import type { PullProgress } from "../contract.ts";
import { createDockerRuntime } from "./runtime.ts";

describe("pulling from a registry", () => {
  let bed: RuntimeBed;
  const images: string[] = [];
  beforeAll(async () => void (bed = await createRuntimeBed()));
  afterAll(async () => {
    const forget = (image: string) =>
      connectEngine().json({ method: "DELETE", path: `/images/${image}` }, { deadlineMs: 10_000 });
    await bed?.[Symbol.asyncDispose]();
    await Promise.allSettled(images.map(forget));
  });
  const registryOf = async (): Promise<TinyRegistry> => {
    const registry = await startTinyRegistry(randomUUID());
    images.push(registry.image);
    return registry;
  };

  test("shows progress, and a second pull works with the registry down", async () => {
    const seen: PullProgress[] = [];
    await using registry = await registryOf();
    await bed.runtime.pull(registry.image, { onProgress: (progress) => seen.push(progress) });
    expect(seen.at(-1)).toMatchObject({ layers: 1, layersDone: 1 });
    await registry[Symbol.asyncDispose]();
    await bed.runtime.pull(registry.image);
    expect(registry.layersAsked).toBe(1);
  });

  test("takes the name and password it is given, and says when they are refused", async () => {
    await using registry = await registryOf();
    registry.authorization = `Basic ${Buffer.from("me:secret").toString("base64")}`;
    await expect(bed.runtime.pull(registry.image)).rejects.toMatchObject({ code: "registry-unreachable" });
    const auth = { username: "me", password: "wrong" };
    await expect(bed.runtime.pull(registry.image, { auth })).rejects.toMatchObject({ code: "registry-unreachable" });
    await bed.runtime.pull(registry.image, { auth: { ...auth, password: "secret" } });
  });

  test("says that the registry does not have it", async () => {
    await using registry = await registryOf();
    await expect(bed.runtime.pull(registry.missing)).rejects.toMatchObject({ code: "image-missing" });
  });

  test("says that the registry has lost a part of it", async () => {
    await using registry = await registryOf();
    registry.lost = true;
    const told = bed.runtime.pull(registry.image);
    await expect(told).rejects.toMatchObject({ code: "image-missing" });
    await expect(told).rejects.toThrow(/^[^ ]+ cannot be pulled: (?!.*cannot be pulled)/);
  });

  test("is shared by those who want the same image", async () => {
    await using registry = await registryOf();
    await Promise.all([1, 2, 3].map(() => bed.runtime.pull(registry.image)));
    expect(registry.layersAsked).toBe(1);
  });

  test("ends at its deadline when the registry stalls", async () => {
    await using registry = await registryOf();
    registry.stalls = true;
    const pull = bed.runtime.pull(registry.image, { deadlineMs: 500 });
    await expect(pull).rejects.toMatchObject({ code: "deadline" });
  });

  test("that is given up is taken over by one that waited for it", async () => {
    await using registry = await registryOf();
    registry.stalls = true;
    const givingUp = new AbortController();
    const first = bed.runtime.pull(registry.image, { signal: givingUp.signal });
    const second = bed.runtime.pull(registry.image);
    await until(() => registry.layersAsked > 0);
    givingUp.abort();
    await expect(first).rejects.toMatchObject({ code: "aborted" });
    // The engine may have joined the second to what the first had begun.
    registry.recover();
    await second;
  });

  test("is refused for what is no image name", async () => {
    for (const image of ["", "a b", "a\n", "-a", "http://x/y"])
      await expect(bed.runtime.pull(image)).rejects.toMatchObject({ code: "engine" });
  });

  test("says that the engine is not there", async () => {
    const nowhere = createDockerRuntime({ install: "none", socketPath: "/nowhere/docker.sock" });
    await expect(nowhere.pull("a")).rejects.toMatchObject({ code: "docker-unreachable" });
    await expect(nowhere.list({})).rejects.toMatchObject({ code: "docker-unreachable" });
  });
});
