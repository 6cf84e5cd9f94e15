/** Services of the example fleet, with the pipelines, tests and changes that `towline demo` ships. */
import { cp } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import type { BuildDetails } from "#api/endpoints/builds.ts";
import { orThrow } from "#api/errors.ts";
import type { Platform } from "#testing/platform.ts";
import type { Checkout } from "./checkout.ts";
import { buildOf, newService } from "./fleet.ts";

const examples = fileURLToPath(new URL("../../examples/", import.meta.url));

/** Its build has gone as far as it does by itself: the release serves in `test`. */
const atGate = ({ state }: BuildDetails) => state === "blocked" || state === "finished";

/** A service whose first version stands before the gate of production; from then on its branch is changed by pull requests only. */
export async function shipExample(platform: Platform, name: string): Promise<Checkout> {
  const checkout = await newService(platform, `../../examples/${name}`, name);
  const build = await buildOf(platform.client, await checkout.push(`${name}: the first version`), atGate);
  if (build.state === "finished") throw new Error(`the build ${build.outcome}: ${JSON.stringify(build, undefined, 1)}`);
  const params = { repository: name };
  orThrow(await platform.client.changeRepository({ params, body: { allowDirectPush: false } }));
  return checkout;
}

/** Pushes one of `examples/changes` to a branch. */
export async function pushChange(checkout: Checkout, change: string, message: string): Promise<void> {
  await cp(`${examples}changes/${change}`, checkout.folder, { recursive: true });
  await checkout.push(message, change);
}
