/** Real containers of a backing image, with a store for their dumps. */
import { createHash } from "node:crypto";
import { isRefusal } from "#api/errors.ts";
import { createMemoryBlobs, type MemoryBlobs } from "#drivers/blobs/memory.ts";
import type { Instance, InstanceSpec, Runtime } from "#drivers/runtime/contract.ts";
import { baseImage, type BaseImageName } from "../tools/base-images/catalogue.ts";
import { ensureBaseImages } from "../tools/base-images/ensure.ts";
import { createRuntimeBed } from "./runtime-bed.ts";

export interface DumpBed extends AsyncDisposable {
  image: string;
  runtime: Runtime;
  backups: MemoryBlobs;
  start(name: string, more: Pick<InstanceSpec, "env" | "volumes"> & Partial<InstanceSpec>): Promise<Instance>;
  /** Digest of a kept content. */
  keep(content: string): Promise<string>;
}

export async function createDumpBed(name: BaseImageName): Promise<DumpBed> {
  const ready = await ensureBaseImages([name], { log: () => {} });
  if (isRefusal(ready)) throw new Error(ready.message);
  const { runtime, ...bed } = await createRuntimeBed();
  await runtime.ensureNetwork("test");
  const backups = createMemoryBlobs();
  const image = baseImage(name);
  const usual = { environment: "test", kind: "backing", image, labels: {}, cpu: 1, memory: 512 * 2 ** 20 } as const;
  return {
    ...{ image, runtime, backups },
    start: (instance, more) => runtime.start({ ...usual, name: instance, ...more }),
    async keep(content) {
      async function* source() {
        yield Buffer.from(content);
      }
      await backups.append({ upload: content, at: 0, source: source() });
      const digest = `sha256:${createHash("sha256").update(content).digest("hex")}`;
      await backups.commit(content, digest);
      return digest;
    },
    [Symbol.asyncDispose]: () => bed[Symbol.asyncDispose](),
  };
}
