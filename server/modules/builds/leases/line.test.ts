import { expect, test } from "vitest";
import { createLine, type Waiting } from "./line.ts";

interface Claim {
  name: string;
  waitMs: number;
  signal: AbortSignal;
}

const claim = (name: string, more: Partial<Claim> = {}): Claim => ({
  ...{ name, waitMs: 10_000, signal: new AbortController().signal },
  ...more,
});
const turn = () => new Promise((resolve) => setImmediate(resolve));
const turns = async () => {
  for (let each = 0; each < 5; each++) await turn();
};

/** A look that hands out what lies there, in order. */
function openCounter(things: string[]) {
  const looks: string[][] = [];
  const line = createLine<Claim, string>(async (waiting) => {
    looks.push(waiting.map(({ claim: { name } }) => name));
    for (const each of waiting) {
      const thing = things.shift();
      if (thing) each.serve(Promise.resolve(thing === "nothing" ? undefined : thing));
    }
    return false;
  });
  return { line, looks, things };
}

test("one look serves all who came in one turn, in the order of coming", async () => {
  const { line, looks } = openCounter(["x", "y"]);
  expect(await Promise.all([line.wait(claim("a")), line.wait(claim("b"))])).toEqual(["x", "y"]);
  expect(looks).toEqual([["a", "b"]]);
});

test("who waits is served by a later look, and there is none without a reason", async () => {
  const { line, looks, things } = openCounter([]);
  const served = line.wait(claim("a"));
  await turns();
  expect(looks).toHaveLength(1);
  things.push("x");
  line.lookAgain();
  expect(await served).toBe("x");
});

test("who does not want to wait gets one look", async () => {
  const { line, looks } = openCounter([]);
  expect(await line.wait(claim("a", { waitMs: 0 }))).toBeUndefined();
  expect(looks).toEqual([["a"]]);
});

test("whom serving brought nothing stands in his old place again", async () => {
  const { line, looks } = openCounter(["nothing", "x"]);
  const both = [line.wait(claim("a")), line.wait(claim("b", { waitMs: 0 }))];
  await both[1];
  expect(looks.at(-1)).toEqual(["a"]);
  const { line: other, looks: seen } = openCounter(["nothing", "nothing", "x", "y"]);
  expect(await Promise.all([other.wait(claim("a")), other.wait(claim("b"))])).toEqual(["x", "y"]);
  expect(seen.at(-1)).toEqual(["a", "b"]);
});

test("who has gone is not served, and gets nothing", async () => {
  const gone = new AbortController();
  const { line, looks, things } = openCounter([]);
  const first = line.wait(claim("a", { signal: gone.signal }));
  const second = line.wait(claim("b"));
  await turns();
  gone.abort();
  expect(await first).toBeUndefined();
  things.push("x");
  line.lookAgain();
  expect(await second).toBe("x");
  expect(looks.at(-1)).toEqual(["b"]);
});

test("a look that fails fails those who wait, and the next who come are looked for again", async () => {
  let broken = true;
  const line = createLine<Claim, string>(async (waiting: Waiting<Claim, string>[]) => {
    if (broken) throw new Error("no database");
    waiting.forEach(({ serve }) => serve(Promise.resolve("x")));
    return false;
  });
  await expect(line.wait(claim("a"))).rejects.toThrow("no database");
  broken = false;
  expect(await line.wait(claim("b"))).toBe("x");
});

test("who is served while his time runs out gets what it brings", async () => {
  const slow = Promise.withResolvers<string>();
  const line = createLine<Claim, string>(async ([first]) => {
    first?.serve(slow.promise);
    return false;
  });
  const served = line.wait(claim("a", { waitMs: 0 }));
  await turns();
  slow.resolve("x");
  expect(await served).toBe("x");
});
