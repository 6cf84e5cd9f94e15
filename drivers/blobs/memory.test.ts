import { expect, test } from "vitest";
import { blobsConformance, chunksOf } from "./conformance.ts";
import { createMemoryBlobs } from "./memory.ts";

blobsConformance("memory", async () => ({ blobs: createMemoryBlobs(), [Symbol.asyncDispose]: async () => {} }));

test("a full disk ends the upload", async () => {
  const blobs = createMemoryBlobs();
  blobs.capacity = 4;
  const append = blobs.append({ upload: "one", at: 0, source: chunksOf("hel", "lo") });
  await expect(append).rejects.toMatchObject({ code: "disk-full" });
  expect(await blobs.uploadSize("one")).toBe(0);
});
