import { expect, test } from "vitest";
import { roles } from "#api/endpoint.ts";
import type { Principal } from "#kernel/http.ts";
import { gitDenied, type GitService } from "./git-rule.ts";

const may = (principal: Principal | undefined, service: GitService, repository = "orders") =>
  gitDenied(principal, service, repository)?.refused ?? "may";

const job: Principal = {
  kind: "job",
  name: "build 1",
  token: "t",
  grants: { repositories: { orders: ["pull", "push"], images: ["push"] } },
};

test("every user reads, and only those who develop push", () => {
  const user = (role: (typeof roles)[number]): Principal => ({ kind: "user", name: "u", token: "t", role });
  expect(roles.map((role) => may(user(role), "git-upload-pack"))).toEqual(roles.map(() => "may"));
  expect(roles.filter((role) => may(user(role), "git-receive-pack") === "may")).toEqual(["developer", "lead", "admin"]);
});

test("a job reads what its grants name and pushes nothing", () => {
  expect(may(job, "git-upload-pack")).toBe("may");
  expect(may(job, "git-upload-pack", "images")).toBe("auth.forbidden");
  expect(may(job, "git-upload-pack", "constructor")).toBe("auth.forbidden");
  expect(may(job, "git-receive-pack")).toBe("auth.forbidden");
});

test("an agent and a stranger reach nothing", () => {
  expect(may({ kind: "agent", name: "a", token: "t" }, "git-upload-pack")).toBe("auth.forbidden");
  expect(may(undefined, "git-upload-pack")).toBe("auth.required");
});
