import fc from "fast-check";
import { expect, test } from "vitest";
import { isRefusal } from "#api/errors.ts";
import type { Field } from "../step.ts";
import { type Answers, checkAnswers } from "./answers.ts";

const fields: Field[] = [
  { kind: "text", key: "name", label: "Release name", required: true, format: "[a-z]+-[0-9]+" },
  { kind: "text", key: "notes", label: "Notes", required: false, default: "none" },
  {
    ...{ kind: "select", key: "region", label: "Region", required: true, multiple: false, default: ["eu"] },
    options: ["eu", "us"].map((value) => ({ label: value.toUpperCase(), value })),
  },
  {
    ...{ kind: "select", key: "parts", label: "Parts", required: false, multiple: true, default: [] },
    options: ["api", "web", "jobs"].map((value) => ({ label: value, value })),
  },
];

const answer = (given: Answers) => {
  const checked = checkAnswers(fields, given);
  return isRefusal(checked) ? checked.message : checked;
};

test("what is not answered gets its default, and a field that may stay empty is left out", () => {
  expect(answer({ name: "canal-7" })).toEqual({ name: "canal-7", notes: "none", region: "eu" });
  expect(answer({ name: "canal-7", notes: "" })).toEqual({ name: "canal-7", region: "eu" });
});

test("several answers are kept as lines, each once", () => {
  expect(answer({ name: "a-1", parts: ["web", "api", "web"] })).toMatchObject({ parts: "web\napi" });
  expect(answer({ name: "a-1", parts: "web\njobs" })).toMatchObject({ parts: "web\njobs" });
});

test.each<[Answers, string]>([
  [{}, "the field `name` (Release name) needs an answer"],
  [{ name: "" }, "the field `name` (Release name) needs an answer"],
  [{ name: "x canal-7" }, "the field `name` (Release name) must fit `[a-z]+-[0-9]+`"],
  [{ name: "canal-7\n" }, "the field `name` (Release name) must fit `[a-z]+-[0-9]+`"],
  [{ name: ["a-1", "b-2"] }, "the field `name` (Release name) takes one answer"],
  [{ name: "a-1", region: "moon" }, "the field `region` (Region) takes eu, us, not moon"],
  [{ name: "a-1", region: ["eu", "us"] }, "the field `region` (Region) takes one answer"],
  [{ name: "a-1", region: "" }, "the field `region` (Region) needs an answer"],
  [{ name: "a-1", nots: "x" }, "the gate has no field `nots`"],
  [JSON.parse('{"name": "a-1", "__proto__": "x"}') as Answers, "the gate has no field `__proto__`"],
])("%j is refused and the field is named", (given, message) => {
  expect(answer(given)).toBe(message);
});

test("an answer has its limit", () => {
  expect(answer({ name: "a-1", notes: "x".repeat(10_001) })).toBe(
    "the field `notes` (Notes) takes at most 10000 characters",
  );
});

test("whatever is given, what comes out are answers to the fields, and taking them again changes nothing", () => {
  const anything = fc.dictionary(
    fc.constantFrom("name", "notes", "region", "parts", "other"),
    fc.oneof(fc.string(), fc.array(fc.constantFrom("api", "web", "eu", "us", "", "moon"))),
  );
  fc.assert(
    fc.property(anything, (given) => {
      const checked = checkAnswers(fields, { name: "a-1", ...given });
      if (isRefusal(checked)) return;
      expect(fields.map(({ key }) => key)).toEqual(expect.arrayContaining(Object.keys(checked)));
      expect(checkAnswers(fields, { notes: "", ...checked })).toEqual(checked);
    }),
  );
});
