import { describe, expect, test } from "vitest";
import { activityKinds } from "./activity-kinds.ts";
import { eventsOf, eventWords, tellEvent } from "./event-words.ts";
import { eventCatalogue } from "./events.ts";

const id = "6ba3a4cb-d830-40b6-a22e-15e1ea641a29";
const commit = "3ea407758e2f99cc0732728546662bc69e46d3a5";
const place = { service: "orders", environment: "production" };
const build = { build: id, repository: "orders", number: 12, branch: "main", commit };
const deployment = { deployment: id, ...place, release: 3 };

describe("an event is told as a sentence", () => {
  test.each([
    ["access.role-changed", { user: "lea", role: "lead", actor: "rita" }, "rita gave lea the role lead"],
    ["access.token-created", { user: "lea", token: id, name: "laptop", actor: "lea" }, "lea made the token “laptop”"],
    [
      "access.token-created",
      { user: "lea", token: id, name: "laptop", actor: "admin" },
      "admin made the token “laptop” for lea",
    ],
    [
      "access.password-set",
      { user: "lea", sessionsEnded: 2, actor: "admin" },
      "admin set the password of lea, and 2 browser sessions ended",
    ],
    ["access.password-set", { user: "lea", sessionsEnded: 0, actor: "lea" }, "lea set a new password"],
    [
      "source.ref-changed",
      { repository: "orders", ref: "refs/heads/main", before: commit, after: commit, actor: "dora" },
      "dora pushed to the branch main of orders, now at commit 3ea40775",
    ],
    [
      "source.ref-changed",
      { repository: "orders", ref: "refs/tags/v1", before: commit },
      "The tag v1 of orders was removed",
    ],
    [
      "source.pull-request-opened",
      { repository: "orders", number: 4, branch: "discounts", head: commit },
      "Pull request 4 of orders was opened, from discounts",
    ],
    [
      "source.change-request-withdrawn",
      { repository: "orders", number: 4, user: "lea", actor: "rita" },
      "rita withdrew the request of lea for changes to pull request 4 of orders",
    ],
    ["builds.build-finished", { ...build, outcome: "canceled" }, "Build 12 of orders was canceled"],
    [
      "deployments.deployment-created",
      { ...deployment, actor: "rita" },
      "rita asked to deploy release 3 of orders to production",
    ],
    [
      "deployments.deployment-changed",
      { ...deployment, phase: "swap" },
      "The deployment of release 3 of orders to production goes on: moving traffic",
    ],
    [
      "deployments.deployment-finished",
      { ...deployment, outcome: "rolled-back", reason: "5 % of the requests failed" },
      "Release 3 of orders was taken back in production: 5 % of the requests failed",
    ],
    [
      "deployments.lock-changed",
      { service: "*", environment: "production", fence: 1, reason: "audit", change: "locked", actor: "rita" },
      "rita locked all services in production: audit",
    ],
    [
      "deployments.scaled",
      { ...place, from: 2, to: 1, reason: "calm" },
      "orders in production goes from 2 to 1 instance: calm",
    ],
    [
      "images.manifest-pushed",
      { repository: "orders", digest: "sha256:ab", tags: [`sha256-${"ab".repeat(32)}.sig`], actor: "towline" },
      "towline attached a signature to an image of orders",
    ],
    [
      "images.manifest-pushed",
      { repository: "orders", digest: "sha256:ab", tags: ["1.2", "latest"], actor: "dora" },
      "dora pushed an image of orders, as 1.2, latest",
    ],
    [
      "deployments.backing-changed",
      { environment: "test", name: "db", change: "restore", actor: "rita", outcome: "failed", reason: "no room" },
      "The restore of db in test failed: no room",
    ],
  ])("%s", (name, facts, sentence) => {
    expect(tellEvent(name, facts).sentence).toBe(sentence);
  });
});

test("every event of the catalogue has one kind, and every kind has events", () => {
  expect(activityKinds.flatMap(eventsOf).toSorted()).toEqual(Object.keys(eventCatalogue).toSorted());
  expect(activityKinds.filter((kind) => eventsOf(kind).length === 0)).toEqual([]);
  expect(Object.keys(eventWords)).toHaveLength(Object.keys(eventCatalogue).length);
});

test("what an older version wrote, of which the catalogue knows no more, is told by its name", () => {
  expect(tellEvent("stories.story-moved", { story: 7 })).toEqual({ kind: null, sentence: "stories.story-moved" });
  expect(tellEvent("toString", {})).toEqual({ kind: null, sentence: "toString" });
  expect(tellEvent("access.role-changed", { who: "lea" })).toEqual({
    ...{ kind: "people and tokens", sentence: "access.role-changed" },
  });
});
