import { refuse } from "#api/errors.ts";
import type { BenchResult } from "../../bench/figures.ts";
import { CommandRefused, print, printJson, table } from "../output.ts";

const benches: Record<string, () => Promise<{ main(): Promise<BenchResult> }>> = {
  balancer: () => import("../../bench/balancer.ts"),
  cluster: () => import("../../bench/cluster.ts"),
  contracts: () => import("../../bench/contracts.ts"),
  deploy: () => import("../../bench/deploy.ts"),
  engine: () => import("../../bench/engine.ts"),
  logs: () => import("../../bench/logs.ts"),
  pipeline: () => import("../../bench/pipeline.ts"),
  registry: () => import("../../bench/registry.ts"),
  rest: () => import("../../bench/rest.ts"),
  rollout: () => import("../../bench/rollout.ts"),
  scaling: () => import("../../bench/scaling.ts"),
  step: () => import("../../bench/step.ts"),
  web: () => import("../../bench/web.ts"),
};

/** Runs one benchmark; its last line is JSON, its exit status 1 when the aim was missed. */
export async function bench(flags: { json?: boolean }, name: string): Promise<void> {
  const load = benches[name];
  if (!load)
    throw new CommandRefused(
      refuse("not-found", `there is no benchmark ${name}`, { fix: `There are ${Object.keys(benches).join(", ")}.` }),
    );
  const { bench: title, ok, figures } = await (await load()).main();
  if (!flags.json)
    print(
      table(
        ["FIGURE", title.toUpperCase()],
        Object.entries(figures).map(([figure, value]) => [figure, String(value)]),
      ),
    );
  printJson({ bench: title, ok, ...figures });
  process.exitCode = ok ? 0 : 1;
}
