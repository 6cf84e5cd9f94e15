/** The real clients through the cache: docker and skopeo pull what Debian's registry has, also once that is gone. */
import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { upstreamEndpoints } from "#api/endpoints/upstreams.ts";
import { isRefusal } from "#api/errors.ts";
import { openTestRegistry, type OpenTestRegistry, userToken } from "#testing/registry.ts";
import { startDebianRegistry } from "../../../../bench/registry/registries.ts";

const run = promisify(execFile);
const installed = (program: string, ...args: string[]) =>
  run(program, args).then(
    () => true,
    () => false,
  );

async function putUpstream({ registry }: OpenTestRegistry, name: string, given: object): Promise<void> {
  const body = upstreamEndpoints.putUpstream.body.parse({ tagSeconds: 0, ...given });
  const params = { name };
  const answer = await registry.images.handlers.putUpstream({ params, query: undefined, body }, {} as never);
  if (isRefusal(answer)) throw new Error(answer.message);
}

test("docker and skopeo pull from Debian's registry and from one with tokens, each through the cache, also when both are gone", async (context) => {
  if (!(await installed("docker-registry", "--version"))) return context.skip("docker-registry is not installed here");
  await using stack = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), "towline-cache-"));
  stack.defer(() => rm(folder, { recursive: true, force: true }));
  const docker = async (...args: string[]) => (await run("docker", ["--config", folder, ...args])).stdout.trim();
  const login = async (host: string, token: string) => {
    const child = run("docker", ["--config", folder, "login", host, "--username", "x", "--password-stdin"]);
    child.child.stdin?.end(token);
    await child;
  };
  const made: string[] = [];
  stack.defer(async () => void (await docker("rmi", "--force", ...made).catch(() => {})));

  const upstreams = new AsyncDisposableStack();
  stack.defer(() => upstreams.disposeAsync());
  const debian = upstreams.use(await startDebianRegistry(folder));
  const own = upstreams.use(await openTestRegistry());
  await using cache = await openTestRegistry();
  await login(own.registry.host, await userToken(own.registry, "dev", "developer"));
  const developer = await userToken(cache.registry, "dev", "developer");
  await login(cache.registry.host, developer);
  await putUpstream(cache, "debian", { url: `http://${debian.host}` });
  const password = await userToken(own.registry, "reader", "viewer");
  await putUpstream(cache, "own", { url: own.registry.url, username: "reader", password });

  await writeFile(join(folder, "file"), `of ${folder}`);
  await writeFile(join(folder, "Dockerfile"), "FROM scratch\nCOPY file /file\n");
  const pulls: string[] = [];
  for (const [name, host] of [
    ["debian", debian.host],
    ["own", own.registry.host],
  ]) {
    const pushed = `${host}/shop/thing:v1`;
    const through = `${cache.registry.host}/cache/${name}/shop/thing:v1`;
    made.push(pushed, through);
    await docker("build", "--quiet", "--tag", pushed, folder);
    await docker("push", pushed);
    await docker("rmi", "--force", pushed);
    pulls.push(through);
  }
  const pull = async () => {
    for (const each of pulls) {
      expect(await docker("pull", each)).toContain("Downloaded newer image");
      await docker("rmi", "--force", each);
    }
  };
  await pull();
  await upstreams.disposeAsync();
  // Tags of no lifetime are looked up each time, and nobody answers.
  await pull();
  if (!(await installed("skopeo", "--version"))) return;
  const credentials = ["--src-tls-verify=false", "--src-creds", `x:${developer}`];
  for (const [index, each] of pulls.entries())
    await run("skopeo", ["copy", ...credentials, `docker://${each}`, `dir:${join(folder, `copy-${index}`)}`]);
});
