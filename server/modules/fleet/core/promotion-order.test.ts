import fc from "fast-check";
import { expect, test } from "vitest";
import { promotionOrder } from "./promotion-order.ts";

test("an environment stands after the one it names", () => {
  const order = promotionOrder([
    { name: "production", after: "staging" },
    { name: "staging", after: "test" },
    { name: "test" },
  ]);
  expect(order.map(({ name }) => name)).toEqual(["test", "staging", "production"]);
});

test("every environment stands in the order exactly once, whatever circles there are", () => {
  const name = fc.constantFrom("a", "b", "c", "d", "e");
  const environments = fc.uniqueArray(fc.record({ name, after: fc.option(name, { nil: undefined }) }), {
    selector: (each) => each.name,
  });
  fc.assert(
    fc.property(environments, (given) => {
      expect(
        promotionOrder(given)
          .map((each) => each.name)
          .toSorted(),
      ).toEqual(given.map((each) => each.name).toSorted());
    }),
  );
});
