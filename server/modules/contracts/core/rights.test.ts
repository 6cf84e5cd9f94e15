import { expect, test } from "vitest";
import type { Principal } from "#kernel/http.ts";
import { type Action, mayDo, mayPublishFor } from "./rights.ts";

const user = (role: "viewer" | "developer" | "analyst" | "lead" | "admin"): Principal => ({
  ...{ kind: "user", name: "u", token: "t" },
  role,
});
const repositories = { orders: ["pull" as const], fleet: ["pull" as const] };
const grants = { repositories, pacticipant: "basket", job: { id: "1", attempt: 1 } };
const job: Principal = { kind: "job", name: "j", token: "t", grants };
const puller: Principal = { kind: "job", name: "pull", token: "t", grants: { repositories } };
const agent: Principal = { kind: "agent", name: "a", token: "t" };
const may = (principal: Principal) =>
  (["read", "publish", "change", "manage"] satisfies Action[]).filter((action) => mayDo(principal, action));

test("every user reads, developers publish and place, leads manage; jobs read and publish, agents nothing", () => {
  expect(may(user("viewer"))).toEqual(["read"]);
  expect(may(user("analyst"))).toEqual(["read"]);
  expect(may(user("developer"))).toEqual(["read", "publish", "change"]);
  expect(may(user("lead"))).toEqual(["read", "publish", "change", "manage"]);
  expect(may(job)).toEqual(["read", "publish"]);
  expect(may(puller)).toEqual([]);
  expect(may(agent)).toEqual([]);
});

test("a job publishes for the service it builds, and for no other, of its repository neither", () => {
  expect(mayPublishFor(job, "basket")).toBe(true);
  expect(mayPublishFor(job, "orders")).toBe(false);
  expect(mayPublishFor(job, "catalog")).toBe(false);
  expect(mayPublishFor({ ...job, grants: { repositories, job: { id: "1", attempt: 1 } } }, "orders")).toBe(false);
  expect(mayPublishFor(puller, "basket")).toBe(false);
  expect(mayPublishFor(user("viewer"), "orders")).toBe(false);
  expect(mayPublishFor(user("developer"), "orders")).toBe(true);
});
