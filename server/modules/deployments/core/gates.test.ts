import { expect, test } from "vitest";
import { type GateFacts, gatesOf } from "./gates.ts";

const acceptance = { name: "acceptance", roles: ["analyst" as const], users: ["eve"], count: 2 };
const facts: GateFacts = {
  ...{ kind: "deploy", environment: "production", release: 7, after: "test", servedAfter: true },
  ...{ signOffs: [acceptance], given: [], freezes: [], overridden: [], locks: [], first: [] },
  now: new Date("2026-11-27T18:00:00Z"),
};
const closed = (more: Partial<GateFacts>) =>
  gatesOf({ ...facts, signOffs: [], ...more })
    .filter(({ open }) => !open)
    .map(({ gate, reason }) => `${gate}: ${reason}`);

test("a sign-off needs so many different people, and says who may give it", () => {
  const given = [
    { signOff: "acceptance", user: "eve" },
    { signOff: "acceptance", user: "eve" },
    { signOff: "qa", user: "max" },
  ];
  expect(closed({ signOffs: [acceptance], given })).toEqual([
    "sign-off: acceptance of release 7 waits for the role analyst or eve (1 of 2)",
  ]);
  expect(closed({ signOffs: [acceptance], given: [...given, { signOff: "acceptance", user: "max" }] })).toEqual([]);
});

test("a freeze is told with its window and reason, and is overridden by its own name only", () => {
  const freezes = [
    { name: "weekend", from: "Fri 16:00", to: "Mon 08:00", zone: "UTC" },
    { name: "sale", from: "2026-11-27 00:00", to: "2026-11-28 00:00", zone: "UTC", reason: "Black Friday" },
  ];
  const sale = "freeze: the freeze sale holds from 2026-11-27 00:00 to 2026-11-28 00:00 (UTC): Black Friday";
  expect(closed({ freezes })).toEqual(["freeze: the freeze weekend holds from Fri 16:00 to Mon 08:00 (UTC)", sale]);
  expect(closed({ freezes, overridden: ["weekend", "other"] })).toEqual([sale]);
  expect(closed({ freezes, now: new Date("2026-11-26T18:00:00Z") })).toEqual([]);
});

test("a lock names owner, reason and end; the services that go first are named", () => {
  const locks = [
    { owner: "lea", reason: "moving the database", until: "2026-11-27T20:00:00.000Z", what: "production" },
  ];
  expect(closed({ locks, first: ["catalog goes first: its release 3 is on its way"] })).toEqual([
    "lock: lea has locked production until 2026-11-27T20:00:00.000Z: moving the database",
    "services: catalog goes first: its release 3 is on its way",
  ]);
});

test("contracts are asked: a no and a missing result hold it with their reasons, and where there are none it says so", () => {
  const say = (answer: "yes" | "no" | "unknown" | "none", more: object = {}) => {
    const contracts = {
      answer,
      reasons: answer === "yes" || answer === "none" ? [] : ["why"],
      required: true,
      ...more,
    };
    return gatesOf({ ...facts, signOffs: [], contracts }).filter(({ gate }) => gate === "contracts");
  };
  expect(say("no")).toEqual([{ gate: "contracts", open: false, answer: "no", reason: "the contracts say no: why" }]);
  expect(say("unknown")).toMatchObject([{ open: false, reason: "the contracts are not verified yet: why" }]);
  expect(say("none")).toMatchObject([
    { open: true, answer: "none", reason: expect.stringContaining("no contracts declared") as string },
  ]);
  expect(say("yes")).toMatchObject([{ open: true, answer: "yes" }]);
  expect(say("no", { required: false })).toMatchObject([
    { open: true, reason: "the contracts say no: why (only told here)" },
  ]);
});

test("what must be proven of a release holds it until it is, each demand with its reason, and never a rollback", () => {
  const attested = { demands: ["signature", "sbom"], lacks: ["sbom: there is none", "signature: it was changed"] };
  expect(closed({ attested })).toEqual([
    "attestations: release 7 is not proven: sbom: there is none; signature: it was changed",
  ]);
  expect(closed({ attested, kind: "rollback" })).toEqual([]);
  expect(gatesOf({ ...facts, attested: { ...attested, lacks: [] } })).toContainEqual({
    ...{ gate: "attestations", open: true, reason: "signature, sbom of release 7 hold" },
  });
});

test("only a lock holds a rollback", () => {
  const freezes = [{ name: "weekend", from: "Fri 16:00", to: "Mon 08:00", zone: "UTC" }];
  const back = { kind: "rollback" as const, servedAfter: false, signOffs: [acceptance], freezes, first: ["catalog"] };
  expect(closed(back)).toEqual([]);
  const locks = [{ owner: "lea", reason: "x", until: "y", what: "orders" }];
  expect(closed({ ...back, locks })).toHaveLength(1);
});
