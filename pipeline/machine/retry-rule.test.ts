import { expect, test } from "vitest";
import type { RetryRule } from "../step.ts";
import { matchingRule } from "./retry-rule.ts";

const ended = (exitStatus: number, signalReason: "none" | "agent_lost" | "agent_stop" = "none") => ({
  exitStatus,
  signalReason,
});
const match = (automatic: RetryRule[], end: Parameters<typeof matchingRule>[2], used = {}) =>
  matchingRule({ automatic }, used, end);

test("the first rule that matches counts, even when it is used up", () => {
  const rules: RetryRule[] = [
    { exitStatus: [3, 4], limit: 1 },
    { exitStatus: "*", limit: 2 },
  ];
  expect(match(rules, ended(4))).toBe(0);
  expect(match(rules, ended(4), { 0: 1 })).toBeUndefined();
  expect(match(rules, ended(1), { 0: 1, 1: 1 })).toBe(1);
  expect(match([], ended(1))).toBeUndefined();
});

test("a lost agent is exit status -1 with a reason of its own", () => {
  expect(match([{ exitStatus: [-1], limit: 1 }], ended(-1, "agent_lost"))).toBe(0);
  expect(match([{ exitStatus: "*", signalReason: "agent_lost", limit: 1 }], ended(-1, "agent_lost"))).toBe(0);
  expect(match([{ exitStatus: "*", signalReason: "agent_stop", limit: 1 }], ended(-1, "agent_lost"))).toBeUndefined();
  expect(match([{ exitStatus: "*", signalReason: "*", limit: 1 }], ended(1))).toBeUndefined();
  expect(match([{ exitStatus: "*", signalReason: "none", limit: 1 }], ended(1))).toBe(0);
});

test.each(["SIGKILL", "kill", "9", "*"])("a signal written as %s is what a shell tells as 137", (signal) => {
  expect(match([{ exitStatus: "*", signal, limit: 1 }], ended(137))).toBe(0);
  expect(match([{ exitStatus: "*", signal, limit: 1 }], ended(1))).toBeUndefined();
  expect(match([{ exitStatus: [1], signal, limit: 1 }], ended(137))).toBeUndefined();
});

test("no signal is a rule too", () => {
  expect(match([{ exitStatus: "*", signal: "none", limit: 1 }], ended(1))).toBe(0);
  expect(match([{ exitStatus: "*", signal: "none", limit: 1 }], ended(143))).toBeUndefined();
});
