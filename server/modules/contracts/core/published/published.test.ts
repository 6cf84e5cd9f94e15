import { expect, test } from "vitest";
import { ask } from "../test-question.ts";
import { environments } from "./environments.ts";
import { ignoring } from "./ignoring.ts";
import { integration } from "./integration.ts";

const examples = [...integration, ...environments, ...ignoring].flatMap((situation) =>
  Object.entries(situation.its).map(([number, it]) => {
    const [title, has] = typeof it === "string" ? [it, {}] : it;
    return { number: Number(number), title: `${situation.when} ${title}`, has, situation };
  }),
);

test.each(examples)("$number: $title", ({ situation, has }) => {
  const { is, because, warns = [] } = situation;
  const found = ask(situation);
  expect(found).toMatchObject({ is, because, warns, ...has });
});

test("all 64 are there, each once", () => {
  expect(examples.map(({ number }) => number)).toEqual(Array.from({ length: 64 }, (_, index) => index + 1));
  expect(new Set(examples.map(({ title }) => title)).size).toBe(64);
});
