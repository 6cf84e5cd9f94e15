import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Slot } from "../contract.ts";
import { type ServerState, serves } from "./parse.ts";
import { nowhere } from "./names.ts";
import { planRoute, planSlot } from "./slots.ts";

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
  const [what, ...rest] = command.replace(/set server route_r\/s\d /, "").split(" ");
  if (what === "addr") return { ...model, host: rest[0]!, port: Number(rest[2]), proven: false };
  if (what === "weight") return { ...model, weight: Number(rest[0]) };
  if (what === "health") return { ...model, up: false, proven: false };
  if (rest[0] === "maint") return { ...model, maint: true, up: false };
  return { ...model, maint: false, drain: rest[0] === "drain", up: model.maint ? true : model.up };
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

describe("the commands for a route", () => {
  const places: fc.Arbitrary<{ seen: ServerState; wanted: Slot }> = fc
    .record({ seen: seenServers, wanted: wantedSlots })
    // One that moves while it serves is closed for that.
    .filter(({ seen, wanted: { address } }) => {
      const stays = address?.host === seen.host && address.port === seen.port;
      return stays || !serves(seen) || address === undefined;
    });
  const routes = fc.array(places, { minLength: 2, maxLength: 4 });
  const heir = ({ address, state, weight }: Slot) => address !== undefined && state === "ready" && weight > 0;

  test("never leave one empty that serves and is to serve, whatever is under way when they are told", () => {
    fc.assert(
      fc.property(routes, fc.infiniteStream(fc.boolean()), (all, chance) => {
        fc.pre(all.some(({ seen }) => serves(seen)) && all.some(({ wanted }) => heir(wanted)));
        const slots = all.map(({ wanted }) => wanted);
        const models: Model[] = all.map(({ seen }) => ({ ...seen, proven: false }));
        const flip = () => chance.next().value as boolean;
        for (let round = 0; round < 12; round++) {
          for (const [index, { commands }] of planRoute({ id: "r", slots }, models, true).entries())
            for (const command of commands) {
              models[index] = run(models[index]!, command);
              expect(models.some(serves)).toBe(true);
            }
          // Checks begin, and end well.
          for (const [index, model] of models.entries()) {
            const checking = round < 8 && !model.maint && flip();
            models[index] = {
              ...model,
              checking,
              ...(checking ? { passed: false } : { passed: true, up: !model.maint }),
            };
          }
        }
        expect(planRoute({ id: "r", slots }, models, true).every(({ commands, again }) => !again && !commands[0])).toBe(
          true,
        );
      }),
    );
  });

  test("close what was to close when patience is over, though nobody else serves", () => {
    const ready = { name: "s0", host: hosts[0]!, port: 80, up: true, maint: false, drain: false, weight: 100 };
    const seen = [
      { ...ready, passed: true, checking: false },
      { ...ready, host: hosts[1]!, up: false, passed: false, checking: false },
    ];
    const slot = (host: string, state: Slot["state"]): Slot => ({ address: { host, port: 80 }, state, weight: 100 });
    const route = { id: "r", slots: [slot(hosts[0]!, "drain"), slot(hosts[1]!, "ready")] };
    expect(planRoute(route, seen, true)[0]).toEqual({ commands: [], again: true });
    expect(planRoute(route, seen, false)[0]).toEqual({
      commands: ["set server route_r/s0 state drain"],
      again: false,
    });
  });
});
