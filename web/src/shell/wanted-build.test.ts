import { expect, test } from "vitest";
import { wantedBuild } from "./wanted-build.ts";

test("repository and number mean a build, however they are joined; one alone means none", () => {
  expect(["orders 12", "orders #12", "orders#12", " orders  12 "].map(wantedBuild)).toEqual(
    Array.from({ length: 4 }, () => ({ repository: "orders", number: 12 })),
  );
  expect(["orders", "12", "orders 0", "orders twelve", "a b 3", ""].map(wantedBuild)).toEqual(
    Array.from({ length: 6 }, () => undefined),
  );
});
