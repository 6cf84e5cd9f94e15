import { setTimeout as sleep } from "node:timers/promises";
import fc from "fast-check";
import { expect, test, vi } from "vitest";
import { until } from "#testing/until.ts";
import { createLogParts, type LogPart } from "./log-parts.ts";

/** A receiver that ignores bytes it has and refuses gaps, as the server does. */
function receiver() {
  let held = Buffer.alloc(0);
  const parts: LogPart[] = [];
  return {
    parts,
    text: () => held.toString(),
    take(part: LogPart) {
      if (part.offset > held.length) throw new Error(`a gap: ${part.offset} after ${held.length}`);
      parts.push(part);
      held = Buffer.concat([held, part.bytes.subarray(held.length - part.offset)]);
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
        const log = createLogParts({
          partBytes: 16,
          send: async (part) => {
            const fault = faults.pop();
            if (fault !== "lost before") server.take(part);
            if (fault === undefined || fault === "fine") return "taken";
            throw new Error("connection reset");
          },
        });
        for (const write of writes) await log.write(Buffer.from(write));
        const closed = log.close();
        await vi.runAllTimersAsync();
        const summary = await closed;
        expect(server.text()).toBe(writes.join(""));
        expect(server.parts.every(({ bytes }) => bytes.length > 0 && bytes.length <= 16)).toBe(true);
        const bytes = Buffer.byteLength(writes.join(""));
        expect(summary).toEqual({ ended: "complete", bytes, cutBytes: 0 });
      }),
    );
  } finally {
    vi.useRealTimers();
  }
});

test("a byte waits no longer than the delay, a full part not at all", async () => {
  const server = receiver();
  const log = createLogParts({ partBytes: 8, delayMs: 20, send: async (part) => (server.take(part), "taken") });
  await log.write(Buffer.from("12345678"));
  await sleep(0);
  expect(server.text()).toBe("12345678");
  await log.write(Buffer.from("tail"));
  await until(() => server.text() === "12345678tail");
});

test("what is written while a part is under way goes together in the next one", async () => {
  const server = receiver();
  const gate = Promise.withResolvers<void>();
  const log = createLogParts({
    delayMs: 0,
    async send(part) {
      await gate.promise;
      server.take(part);
      return "taken";
    },
  });
  await log.write(Buffer.from("first"));
  await sleep(20);
  for (const word of [" second", " third", " fourth"]) await log.write(Buffer.from(word));
  gate.resolve();
  await log.close();
  expect(server.parts.map(({ bytes }) => bytes.toString())).toEqual(["first", " second third fourth"]);
});

test("each part says when its bytes came, from its first byte on", async () => {
  const server = receiver();
  const gate = Promise.withResolvers<void>();
  const log = createLogParts({
    partTimes: 2,
    async send(part) {
      await gate.promise;
      server.take(part);
      return "taken";
    },
  });
  const began = Date.now();
  for (const word of ["one ", "two ", "three ", "four "]) {
    await log.write(Buffer.from(word));
    await sleep(70);
  }
  gate.resolve();
  await log.close();
  expect(server.text()).toBe("one two three four ");
  for (const { times } of server.parts) {
    expect(times[0]?.[0]).toBe(0);
    expect(times.length).toBeLessThanOrEqual(2);
  }
  const all = server.parts.flatMap(({ offset, times }) => times.map(([byte, ms]) => ({ byte: offset + byte, ms })));
  const four = all.find(({ byte }) => byte === 14);
  expect(four?.ms).toBeGreaterThanOrEqual(began + 200);
});

test("a slow server makes the writer wait once too much is queued", async () => {
  const gate = Promise.withResolvers<void>();
  const log = createLogParts({ partBytes: 4, queueBytes: 8, send: () => gate.promise.then(() => "taken" as const) });
  let written = false;
  await log.write(Buffer.from("1234"));
  const second = log.write(Buffer.from("567890123456")).then(() => (written = true));
  await sleep(20);
  expect(written).toBe(false);
  gate.resolve();
  await second;
  expect(await log.close()).toMatchObject({ ended: "complete", bytes: 16 });
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
      const from = Math.min(known, bytes.length);
      const sent: LogPart[] = [];
      const log = createLogParts({ from, partBytes: 8, send: async (part) => (sent.push(part), "taken") });
      for (let at = 0; at < bytes.length; at += piece) await log.write(bytes.subarray(at, at + piece));
      expect(await log.close()).toMatchObject({ ended: "complete", bytes: bytes.length });
      expect(Buffer.concat(sent.map((part) => part.bytes))).toEqual(bytes.subarray(from));
      expect(sent[0]?.offset ?? from).toBe(from);
    }),
  );
});

test("a refusal ends the log: waiting writers go on and nothing more is sent", async () => {
  const send = vi.fn(async () => "refused" as const);
  const log = createLogParts({ partBytes: 4, queueBytes: 4, send });
  await log.write(Buffer.from("12345678"));
  await log.write(Buffer.from("5678"));
  expect(await log.close()).toMatchObject({ ended: "refused", bytes: 0 });
  expect(send).toHaveBeenCalledTimes(1);
});

test("an abort ends the retries of a server that never answers", async () => {
  const abort = new AbortController();
  const log = createLogParts({
    send: async () => {
      throw new Error("unreachable");
    },
    signal: abort.signal,
  });
  await log.write(Buffer.from("lost"));
  const closed = log.close();
  abort.abort();
  expect(await closed).toMatchObject({ ended: "aborted", bytes: 0 });
});

test("a log over its limit is cut with one notice and says how much is missing", async () => {
  const server = receiver();
  const log = createLogParts({ totalBytes: 10, send: async (part) => (server.take(part), "taken") });
  for (const part of ["123456", "789012", "345"]) await log.write(Buffer.from(part));
  const summary = await log.close();
  expect(server.text()).toBe("1234567890\n[towline] the log has reached its limit of 10 bytes; the rest is cut off\n");
  expect(summary).toMatchObject({ ended: "complete", cutBytes: 5 });
});
