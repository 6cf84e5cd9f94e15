import type { BuildDetails } from "#api/endpoints/builds.ts";
import { isRefusal, orThrow } from "#api/errors.ts";
import type { Client } from "#client/client.ts";
import type { Platform } from "#testing/platform.ts";
import { seldomMs, until } from "#testing/until.ts";
import { type Checkout, checkoutOf } from "./checkout.ts";

/** Makes a repository that takes pushes to its default branch, and a checkout of the service for it. */
export async function newService(platform: Platform, service: string, name = service): Promise<Checkout> {
  orThrow(await platform.client.createRepository({ body: { name, allowDirectPush: true } }));
  return checkoutOf(service, { url: platform.url, token: platform.adminToken, repository: name });
}

/** Replaces environment files by a commit to the fleet repository, and waits until the server has taken them. */
export async function setEnvironments(platform: Platform, files: Record<string, string>): Promise<void> {
  const { client } = platform;
  await using checkout = await cloneFleet(platform);
  for (const [name, text] of Object.entries(files)) await checkout.write(`environments/${name}.yml`, text);
  const commit = await checkout.push("Environments of the test");
  await until(async () => {
    const { environments } = orThrow(await client.listEnvironments({}));
    return Object.keys(files).every((name) =>
      environments.some((each) => each.name === name && each.commit === commit),
    );
  });
}

/** A checkout of the fleet repository at its newest commit. */
export async function cloneFleet({ url, adminToken }: Platform): Promise<Checkout> {
  const checkout = await checkoutOf("fleet", { url, token: adminToken, repository: "fleet" });
  await checkout.git("fetch", "--quiet", "origin", "main");
  await checkout.git("reset", "--quiet", "--hard", "FETCH_HEAD");
  return checkout;
}

/** The build of a commit once `holds`; survives a server that is down for a while. */
export async function buildOf(
  client: Client,
  commit: string,
  holds: (build: BuildDetails) => boolean,
  deadlineMs = 300_000,
): Promise<BuildDetails> {
  let seen: BuildDetails | undefined;
  await until(
    async () => {
      const list = await client.listBuilds({ query: { commit, limit: 1 } });
      const id = isRefusal(list) ? undefined : list.builds[0]?.id;
      const build = id ? await client.showBuild({ params: { id } }) : undefined;
      if (build && !isRefusal(build)) seen = build;
      return seen !== undefined && holds(seen);
    },
    {
      deadlineMs,
      ...(holds === finished ? { lookMs: seldomMs } : {}),
      describe: () => `the build of ${commit} is ${JSON.stringify(seen?.steps ?? seen, undefined, 1)}`,
    },
  );
  if (!seen) throw new Error("no build");
  return seen;
}

export const finished = ({ state }: BuildDetails) => state === "finished";
