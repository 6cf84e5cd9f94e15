import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { openOwnEngine, whyNoOwnEngine } from "#testing/own-engine.ts";
import { createDockerRuntime } from "./runtime.ts";

const reason = await whyNoOwnEngine();
if (reason) process.stderr.write(`  an image that is larger than the disk is not tried here: ${reason}\n`);
const registry = fileURLToPath(new URL("../../../testing/fixture-tiny-registry.ts", import.meta.url));

describe.skipIf(reason !== undefined)("an engine whose disk has little room", () => {
  test("says of an image that does not fit that the disk is full, keeps nothing of it, and takes one that fits", async () => {
    await using engine = await openOwnEngine([], { room: 64 });
    const runtime = createDockerRuntime({ install: "full-disk", socketPath: engine.socketPath });
    const serve = async (size: number) => {
      const server = engine.inside([process.execPath, registry, String(size)]);
      const [line] = (await once(server.stdout, "data")) as [Buffer];
      return { image: line.toString().trim(), end: () => server.stdin.end() };
    };
    const large = await serve(200_000_000);
    await expect(runtime.pull(large.image)).rejects.toMatchObject({ code: "disk-full" });
    expect(await runtime.heldImages()).toEqual([]);
    large.end();
    const small = await serve(1_000);
    await runtime.pull(small.image);
    expect((await runtime.heldImages()).map(({ image }) => image)).toEqual([small.image]);
    small.end();
  });
});
