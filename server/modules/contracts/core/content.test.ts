import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { canonical, compare, type Json, type JsonObject, merge, parseJson, sortedJson, withIds } from "./content.ts";

const get = (path: string, status = 200): JsonObject => ({
  description: `get ${path}`,
  request: { method: "GET", path },
  response: { status },
});
const pact = (...interactions: JsonObject[]): JsonObject => ({
  consumer: { name: "Foo" },
  provider: { name: "Bar" },
  interactions,
  metadata: { pactSpecification: { version: "3.0.0" } },
});

describe("two pacts are the same content", () => {
  test.each<[string, JsonObject]>([
    ["with interactions in another order", pact(get("/b"), get("/a"))],
    [
      "with keys in another order",
      pact({ response: { status: 200 }, description: "get /a", request: { path: "/a", method: "GET" } }, get("/b")),
    ],
    [
      "from a client that adds its name to the metadata",
      {
        ...pact(get("/a"), get("/b")),
        metadata: { pactRust: { models: "1.3" }, pactSpecification: { version: "3.0.0" } },
      },
    ],
    ["under other names", { ...pact(get("/a"), get("/b")), consumer: { name: "Other" } }],
    [
      "as this broker answers it",
      { ...withIds(pact(get("/a"), get("/b")), (text) => text), createdAt: "2026", _links: {} },
    ],
  ])("%s", (_, other) => {
    expect(canonical(other)).toBe(canonical(pact(get("/a"), get("/b"))));
  });

  test("when a client writes out how matchers combine, which is the default anyhow", () => {
    const ruled = (rule: JsonObject) => pact({ ...get("/a"), matchingRules: { body: { $: rule } } });
    const matchers = [{ match: "type" }];
    expect(canonical(ruled({ matchers, combine: "AND" }))).toBe(canonical(ruled({ matchers })));
    expect(canonical(ruled({ matchers, combine: "OR" }))).not.toBe(canonical(ruled({ matchers })));
  });

  test("not when an answer differs, or the version of the specification does", () => {
    const same = canonical(pact(get("/a")));
    expect(canonical(pact(get("/a", 404)))).not.toBe(same);
    expect(canonical({ ...pact(get("/a")), metadata: { pactSpecification: { version: "4.0" } } })).not.toBe(same);
  });
});

test("an interaction's id follows what it says, not the order of its keys", () => {
  const id = (each: JsonObject) => (withIds(pact(each), (text) => text)["interactions"] as JsonObject[])[0]?.["_id"];
  expect(id({ b: 1, a: { d: 1, c: 2 } })).toBe(id({ a: { c: 2, d: 1 }, b: 1 }));
  expect(id({ a: 1 })).not.toBe(id({ a: 2 }));
});

test("what differs is told by the names of the interactions, with their states", () => {
  const stated = { ...get("/c"), providerStates: [{ name: "there is some" }] };
  expect(compare(pact(get("/a"), get("/b")), pact(get("/b", 404), stated))).toEqual({
    added: ["get /c (given there is some)"],
    removed: ["get /a"],
    changed: ["get /b"],
  });
});

test("merging keeps both, and names those that contradict", () => {
  const merged = merge(pact(get("/a")), pact(get("/b")));
  expect("pact" in merged && canonical(merged.pact)).toBe(canonical(pact(get("/a"), get("/b"))));
  expect(merge(pact(get("/a")), pact(get("/a", 500)))).toEqual({ conflicts: ["get /a"] });
});

test("JSON comes back as it is, or with the reason why not", () => {
  const text = (value: Json) => JSON.stringify(value);
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 6 }), (value) => {
      expect(parseJson(text(value as Json))).toEqual({ value: JSON.parse(text(value as Json)) as Json });
    }),
  );
  fc.assert(fc.property(fc.string(), (any) => void parseJson(any)));
  expect(parseJson("[".repeat(1_000_000))).toEqual({ fault: "the JSON is nested deeper than 100 levels" });
  expect(parseJson(`["${"[".repeat(1000)}\\"["]`)).toEqual({ value: [`${"[".repeat(1000)}"[`] });
  expect(parseJson("{")).toMatchObject({ fault: expect.stringContaining("not valid JSON") as string });
});

test("numbers come back as they were written: 1.0 is no 1 to a client in another language", () => {
  const text = `{"a":[1.0,12345678901234567890,1e3,-0,2],"b":{"c":0.10}}`;
  const parsed = parseJson(text);
  expect("value" in parsed && JSON.stringify(parsed.value)).toBe(text);
  expect("value" in parsed && sortedJson(parsed.value)).toBe(text);
});

test("equal values have one sorted text", () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 4 }), (value) => {
      expect(JSON.parse(sortedJson(value as Json))).toEqual(JSON.parse(JSON.stringify(value)));
    }),
  );
});
