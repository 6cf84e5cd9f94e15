import { setTimeout as sleep } from "node:timers/promises";
import fc from "fast-check";
import { expect, test, vi } from "vitest";
import { createLogChunks, type LogChunk } from "./log-chunks.ts";

/** A receiver that ignores a sequence it has, as the server does. */
function receiver() {
  const bySequence = new Map<number, LogChunk>();
  return {
    bySequence,
    text: () => Buffer.concat([...bySequence.values()].map((chunk) => chunk.bytes)).toString(),
    take: (chunk: LogChunk) => {
      if (!bySequence.has(chunk.sequence)) bySequence.set(chunk.sequence, chunk);
    },
  };
}

test("the receiver has every byte once and in order, whatever is lost or answered too late", async () => {
  const scene = fc.record({
    writes: fc.array(fc.string({ maxLength: 40 }), { maxLength: 30 }),
    faults: fc.array(fc.constantFrom("lost before", "lost after", "fine"), { maxLength: 30 }),
  });
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  try {
    await fc.assert(
      fc.asyncProperty(scene, async ({ writes, faults }) => {
        const server = receiver();
        const log = createLogChunks({
          chunkBytes: 16,
          queueChunks: 100,
          send: async (chunk) => {
            const fault = faults.pop();
            if (fault !== "lost before") server.take(chunk);
            if (fault === undefined || fault === "fine") return "taken";
            throw new Error("connection reset");
          },
        });
        for (const write of writes) await log.write(Buffer.from(write));
        const closed = log.close();
        await vi.runAllTimersAsync();
        const summary = await closed;
        expect(server.text()).toBe(writes.join(""));
        let offset = 0;
        for (const [index, chunk] of [...server.bySequence.values()].entries()) {
          expect(chunk).toMatchObject({ sequence: index, offset });
          offset += chunk.bytes.length;
        }
        expect(summary).toEqual({ ended: "complete", chunks: server.bySequence.size, bytes: offset, cutBytes: 0 });
      }),
    );
  } finally {
    vi.useRealTimers();
  }
});

test("whoever goes on with a log writes it again, and what the receiver has is not sent", async () => {
  const scene = fc.record({
    text: fc.string({ maxLength: 60 }),
    known: fc.nat(60),
    piece: fc.integer({ min: 1, max: 9 }),
  });
  await fc.assert(
    fc.asyncProperty(scene, async ({ text, known, piece }) => {
      const bytes = Buffer.from(text);
      const offset = Math.min(known, bytes.length);
      const sent: LogChunk[] = [];
      const from = { sequence: 7, offset };
      const log = createLogChunks({ from, chunkBytes: 8, send: async (chunk) => (sent.push(chunk), "taken") });
      for (let at = 0; at < bytes.length; at += piece) await log.write(bytes.subarray(at, at + piece));
      await log.close();
      expect(Buffer.concat(sent.map((chunk) => chunk.bytes))).toEqual(bytes.subarray(offset));
      expect(sent.map(({ sequence }) => sequence)).toEqual(sent.map((_, index) => 7 + index));
      expect(sent[0]?.offset ?? offset).toBe(offset);
    }),
  );
});

test("a byte waits no longer than the delay, a full chunk not at all", async () => {
  const server = receiver();
  const log = createLogChunks({ chunkBytes: 8, delayMs: 20, send: async (chunk) => (server.take(chunk), "taken") });
  await log.write(Buffer.from("12345678"));
  await sleep(0);
  expect(server.text()).toBe("12345678");
  await log.write(Buffer.from("tail"));
  await vi.waitFor(() => expect(server.text()).toBe("12345678tail"), { timeout: 2_000, interval: 5 });
});

test("a slow server makes the writer wait once the queue is full", async () => {
  const gate = Promise.withResolvers<void>();
  const log = createLogChunks({ chunkBytes: 4, queueChunks: 2, send: () => gate.promise.then(() => "taken" as const) });
  let written = false;
  await log.write(Buffer.from("1234"));
  const second = log.write(Buffer.from("5678")).then(() => (written = true));
  await sleep(20);
  expect(written).toBe(false);
  gate.resolve();
  await second;
  expect(await log.close()).toMatchObject({ ended: "complete", chunks: 2, bytes: 8 });
});

test("a refusal ends the log: waiting writers go on and nothing more is sent", async () => {
  const send = vi.fn(async () => "refused" as const);
  const log = createLogChunks({ chunkBytes: 4, queueChunks: 1, send });
  await log.write(Buffer.from("1234"));
  await log.write(Buffer.from("5678"));
  expect(await log.close()).toMatchObject({ ended: "refused", chunks: 0 });
  expect(send).toHaveBeenCalledTimes(1);
});

test("an abort ends the retries of a server that never answers", async () => {
  const abort = new AbortController();
  const log = createLogChunks({
    send: async () => {
      throw new Error("unreachable");
    },
    signal: abort.signal,
  });
  await log.write(Buffer.from("lost"));
  const closed = log.close();
  abort.abort();
  expect(await closed).toMatchObject({ ended: "aborted", chunks: 0, bytes: 0 });
});

test("a log over its limit is cut with one notice and says how much is missing", async () => {
  const server = receiver();
  const log = createLogChunks({ totalBytes: 10, send: async (chunk) => (server.take(chunk), "taken") });
  for (const part of ["123456", "789012", "345"]) await log.write(Buffer.from(part));
  const summary = await log.close();
  expect(server.text()).toBe("1234567890\n[towline] the log has reached its limit of 10 bytes; the rest is cut off\n");
  expect(summary).toMatchObject({ ended: "complete", cutBytes: 5 });
});
