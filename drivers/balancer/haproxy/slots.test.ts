import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Slot } from "../contract.ts";
import type { ServerState } from "./parse.ts";
import { nowhere } from "./render.ts";
import { planSlot } from "./slots.ts";

const hosts = ["10.0.0.1", "10.0.0.2"];
const wantedSlots: fc.Arbitrary<Slot> = fc
  .record({
    host: fc.constantFrom(undefined, ...hosts),
    state: fc.constantFrom("ready" as const, "drain" as const, "maint" as const),
    weight: fc.constantFrom(0, 50, 100),
  })
  .map(({ host, state, weight }) =>
    host === undefined ? { state, weight } : { address: { host, port: 80 }, state, weight },
  );

const seenServers: fc.Arbitrary<ServerState> = fc.record({
  name: fc.constant("s0"),
  host: fc.constantFrom(nowhere.host, ...hosts),
  port: fc.constantFrom(nowhere.port, 80),
  up: fc.boolean(),
  maint: fc.boolean(),
  drain: fc.boolean(),
  weight: fc.constantFrom(0, 50, 100),
  passed: fc.boolean(),
  checking: fc.boolean(),
});

/** HAProxy's rules, as far as slots need them; `proven`: the present address passed a check made after it was set. */
interface Model extends ServerState {
  proven: boolean;
}

function run(model: Model, command: string): Model {
  const [what, ...rest] = command.replace("set server route_r/s0 ", "").split(" ");
  if (what === "addr") return { ...model, host: rest[0]!, port: Number(rest[2]), proven: false };
  if (what === "weight") return { ...model, weight: Number(rest[0]) };
  if (what === "health") return { ...model, up: false, proven: false };
  if (rest[0] === "maint") return { ...model, maint: true, up: false };
  return { ...model, maint: false, drain: rest[0] === "drain", up: model.maint ? true : model.up };
}

function serves({ up, maint, drain, weight }: Model): boolean {
  return up && !maint && !drain && weight > 0;
}

describe("the commands for a slot", () => {
  test("always lead to what was wanted, and then there are none", () => {
    fc.assert(
      fc.property(seenServers, wantedSlots, (seen, wanted) => {
        let model: Model = { ...seen, proven: false };
        for (let round = 0; round < 5; round++) {
          const { commands } = planSlot("r", 0, model, wanted);
          model = { ...commands.reduce(run, model), checking: false };
        }
        expect(planSlot("r", 0, model, wanted)).toEqual({ commands: [], again: false });
        const off = !wanted.address || wanted.state === "maint";
        expect(model.maint).toBe(off);
        expect({ host: model.host, port: model.port }).toEqual(wanted.address ?? nowhere);
        expect(off || model.drain === (wanted.state === "drain")).toBe(true);
        expect(off || model.weight === wanted.weight).toBe(true);
      }),
    );
  });

  test("never let an address serve that has not passed a check since it was set", () => {
    fc.assert(
      fc.property(seenServers, fc.array(wantedSlots, { minLength: 1, maxLength: 6 }), (seen, all) => {
        let model: Model = { ...seen, proven: seen.up && seen.passed && !seen.maint, maint: true, up: false };
        for (const wanted of all)
          for (let round = 0; round < 4; round++)
            for (const command of planSlot("r", 0, model, wanted).commands) {
              model = { ...run(model, command), checking: false };
              expect(serves(model) && !model.proven).toBe(false);
            }
      }),
    );
  });

  test("do not touch the address while a check of the one before is under way", () => {
    fc.assert(
      fc.property(seenServers, wantedSlots, (seen, wanted) => {
        fc.pre(seen.checking);
        expect(planSlot("r", 0, seen, wanted).commands.filter((command) => command.includes(" addr "))).toEqual([]);
      }),
    );
  });
});
