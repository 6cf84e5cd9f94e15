/** The last word on a deployment: what really serves, asked of the engine and of the balancer, against what was asked for. */
import type { Instance } from "#drivers/runtime/contract.ts";
import type { Answer, PlannedWork, World } from "./step.ts";

export async function verify(world: World, work: PlannedWork, wanted: readonly string[]): Promise<Answer> {
  const { environment, image, port } = work.stack;
  const [present, serving] = await Promise.all([
    world.runtime.list({ service: work.service, environment }),
    world.routing.serving(work),
  ]);
  const fault = wrongImage(present, wanted, image) ?? wrongTraffic({ present, wanted, serving, port });
  // A check may just have failed once: the phase's time decides.
  return fault === undefined
    ? { type: "done" }
    : { type: "pending", detail: `what serves is not what was asked for: ${fault}` };
}

function wrongImage(present: readonly Instance[], wanted: readonly string[], image: string): string | undefined {
  for (const name of wanted) {
    const found = present.find((each) => each.name === name);
    if (found?.state !== "running") return `${name} ${found ? `is ${found.state}` : "is gone"}`;
    if (found.image !== image) return `${name} runs ${found.image} and not ${image}`;
  }
  return undefined;
}

interface Traffic {
  present: readonly Instance[];
  wanted: readonly string[];
  /** `host:port` of all that get new requests. */
  serving: readonly string[];
  port: number;
}

function wrongTraffic({ present, wanted, serving, port }: Traffic): string | undefined {
  const addressOf = (name: string) => `${present.find((each) => each.name === name)?.address}:${port}`;
  const without = wanted.find((name) => !serving.includes(addressOf(name)));
  if (without !== undefined) return `${without} gets no traffic`;
  const addresses = new Set(wanted.map(addressOf));
  const other = serving.find((address) => !addresses.has(address));
  if (other === undefined) return undefined;
  const known = present.find(({ address }) => address !== undefined && other.startsWith(`${address}:`));
  return `${known ? `${known.name} (${known.image})` : other} gets traffic too`;
}
