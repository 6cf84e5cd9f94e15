import { expect, test } from "vitest";
import { plainLabel, type Step, stepSign, whyOf } from "./words.ts";

const step: Step = {
  ...{ key: "unit", label: "unit", kind: "command", job: null, environment: null, state: "waiting", outcome: null },
  ...{ exitStatus: null, reason: null, by: null, waits: [], dependsOn: [], group: null, fields: [], answers: null },
  attempts: [],
};

test("a step says what it waits for, all of it", () => {
  const waits = [
    { reason: { kind: "agent" as const }, text: "for a free agent" },
    { reason: { kind: "dependency" as const, on: ["lint"] }, text: "for lint" },
  ];
  expect(whyOf({ ...step, waits })).toBe("waits for a free agent, and for lint");
});

test("a step that ended says why, and who wanted it; one that passed says nothing", () => {
  const finished = { ...step, state: "finished" as const };
  expect(whyOf({ ...finished, outcome: "failed", exitStatus: 3 })).toBe("exit status 3");
  expect(whyOf({ ...finished, outcome: "canceled", reason: "not needed", by: "ada" })).toBe("not needed, by ada");
  expect(whyOf({ ...finished, outcome: "passed", exitStatus: 0 })).toBeUndefined();
});

test("a gate is opened rather than passed, and what failed softly does not look like a failure", () => {
  const finished = { ...step, state: "finished" as const };
  expect(stepSign({ ...finished, kind: "block", outcome: "passed" }).word).toBe("opened");
  expect(stepSign({ ...finished, outcome: "soft-failed" }).tone).toBe("soft");
});

test("short names of emoji are left out, unless there is nothing else", () => {
  expect(plainLabel(":test_tube: unit")).toBe("unit");
  expect(plainLabel(":rocket:")).toBe(":rocket:");
});
