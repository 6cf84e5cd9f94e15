import { expect, test } from "vitest";
import type { Principal } from "#kernel/http.ts";
import { type Action, whyNot, whyNotFor } from "./rights.ts";

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
  (["read", "publish", "change", "manage"] satisfies Action[]).filter(
    (action) => whyNot(principal, action) === undefined,
  );

test("every user reads, developers publish and place, leads manage; jobs read and publish, agents nothing", () => {
  expect(may(user("viewer"))).toEqual(["read"]);
  expect(may(user("analyst"))).toEqual(["read"]);
  expect(may(user("developer"))).toEqual(["read", "publish", "change"]);
  expect(may(user("lead"))).toEqual(["read", "publish", "change", "manage"]);
  expect(may(job)).toEqual(["read", "publish"]);
  expect(may(puller)).toEqual([]);
  expect(may(agent)).toEqual([]);
});

test("a job publishes for the service it builds, and for no other, of its repository neither; who may not is told why", () => {
  expect(whyNotFor(job, "basket")).toBeUndefined();
  expect(whyNotFor(job, "orders")).toBe(
    "the job j may not publish for orders: it does for basket alone, which it builds",
  );
  const foreign = { ...job, grants: { repositories, job: { id: "1", attempt: 1 } } };
  expect(whyNotFor(foreign, "orders")).toBe(
    "the job j may not publish for orders: its service belongs to another repository",
  );
  expect(whyNotFor(puller, "basket")).toBe("pull reaches no contracts by this token");
  expect(whyNotFor(user("viewer"), "orders")).toMatch(/^u may not do this: it takes one of the roles developer, /);
  expect(whyNotFor(user("developer"), "orders")).toBeUndefined();
  expect(whyNot(job, "change")).toMatch(/^the job j may not do this: jobs read, and publish/);
});
