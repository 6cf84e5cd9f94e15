import { expect, test } from "vitest";
import { type Contract, matrixOf, mostConsumers, mostProviders, shortVersion, standingOf } from "./matrix.ts";

const at = "2026-01-01T00:00:00.000Z";
const contract = (consumer: string, provider: string, success?: boolean): Contract => ({
  ...{ consumer, provider, version: "1", publishedAt: at },
  result: success === undefined ? null : { success, version: "7", at },
});

test("consumers stand in lines and providers in columns, by name; a pair without a contract has an empty cell", () => {
  const [first, second, third] = [
    contract("web", "stock"),
    contract("web", "api", true),
    contract("app", "api", false),
  ];
  expect(matrixOf([first, second, third])).toEqual({
    ...{ providers: ["api", "stock"], more: 0 },
    rows: [
      { consumer: "app", cells: [third, undefined] },
      { consumer: "web", cells: [second, first] },
    ],
  });
  expect(matrixOf([])).toEqual({ providers: [], rows: [], more: 0 });
});

test("what has no room is counted", () => {
  const many = Array.from({ length: mostConsumers + 3 }, (_, at) => contract(`c${at}`, `p${at % (mostProviders + 2)}`));
  const { providers, rows, more } = matrixOf(many);
  expect([providers.length, rows.length, more]).toEqual([mostProviders, mostConsumers, 5]);
});

test("a pact is kept, not kept, or not verified, which colour does not tell alone", () => {
  expect([true, false, undefined].map((success) => standingOf(contract("a", "b", success)).word)).toEqual([
    ...["kept", "not kept", "not verified"],
  ]);
});

test("of a commit the beginning is shown, of another version all", () => {
  expect([shortVersion("a".repeat(40)), shortVersion("1.0.0+abc")]).toEqual(["a".repeat(8), "1.0.0+abc"]);
});
