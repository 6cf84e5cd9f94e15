import { expect, test } from "vitest";
import { placeOf } from "./place-of.ts";

test.each([
  ["builds.build-finished", { repository: "orders", number: 12 }, "/builds/orders/12"],
  ["source.pull-request-merged", { repository: "orders", number: 4 }, "/pull-requests/orders/4"],
  ["releases.release-created", { service: "orders", number: 3 }, "/services/orders/releases/3"],
  ["deployments.deployment-finished", { service: "orders", environment: "test", release: 3 }, "/services/orders"],
  ["deployments.lock-changed", { service: "*", environment: "test" }, "/environments/test"],
  ["deployments.lock-changed", { service: "*", environment: "*" }, undefined],
  ["access.role-changed", { user: "lea" }, undefined],
])("%s of %o leads to %s", (name, facts, address) => {
  const place = placeOf({ name, facts });
  const params: Record<string, string> = place?.params ?? {};
  expect(place?.to.replaceAll(/\$(\w+)/g, (_, param: string) => params[param] ?? "")).toBe(address);
});
