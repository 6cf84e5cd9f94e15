/** What a release becomes in an environment, by the code that every deployment goes through, whatever made somebody ask for it. */
import fc from "fast-check";
import { expect, test } from "vitest";
import type { InstanceSpec } from "#drivers/runtime/contract.ts";
import { type EnvironmentFile, parseEnvironment } from "#pipeline/environment-file.ts";
import { type Manifest, parseManifest } from "#pipeline/manifest.ts";
import type { Release } from "#releases";
import { instanceNames } from "../core/instance-names.ts";
import { newFor } from "../new-deployment.ts";
import { runAndPlace } from "./instances.ts";
import { renderFor } from "./plan.ts";
import type { World } from "./step.ts";

const name = fc.stringMatching(/^[a-z][a-z0-9]{0,9}$/).filter((each) => each !== "orders");
const variables = (prefix: string) =>
  fc.dictionary(
    fc.stringMatching(/^[A-Z]{1,6}$/).map((each) => `${prefix}_${each}`),
    fc.string({ maxLength: 12 }),
    { maxKeys: 3 },
  );
const names = fc.uniqueArray(name, { maxLength: 2 });

const manifests: fc.Arbitrary<Manifest> = fc
  .record({
    service: fc.constant("orders"),
    port: fc.integer({ min: 1, max: 65_535 }),
    needs: names.map((all) => all.map((each) => `n${each}`)),
    secrets: fc.uniqueArray(fc.constantFrom("PAYMENT_KEY", "MAIL_KEY"), { maxLength: 2 }),
    variables: variables("M"),
    run: fc.record(
      {
        cpu: fc.constantFrom(0.25, 1, 2),
        instances: fc.integer({ min: 1, max: 4 }),
        command: fc.array(fc.string({ minLength: 1, maxLength: 9 }), { minLength: 1, maxLength: 3 }),
      },
      { requiredKeys: [] },
    ),
    release: fc.record({ strategy: fc.constantFrom("replace", "rolling", "blue-green", "canary") }),
  })
  .map((file) => orThrow(parseManifest(JSON.stringify(file))));

const environments = (called: string): fc.Arbitrary<EnvironmentFile> =>
  fc
    .record({
      target: fc.constant("docker"),
      domain: fc.constantFrom("shop.example.com", "shop.localhost"),
      watch: fc.constantFrom("0s", "10s"),
      variables: variables("E"),
    })
    .map((file) => orThrow(parseEnvironment(called, JSON.stringify(file))));

const releases: fc.Arbitrary<Release> = fc
  .record({
    manifest: manifests,
    number: fc.integer({ min: 1, max: 9_999 }),
    commit: fc.stringMatching(/^[0-9a-f]{40}$/),
    digest: fc.stringMatching(/^[0-9a-f]{64}$/).map((hex) => `sha256:${hex}`),
  })
  .map((release) => ({
    ...{ ...release, id: crypto.randomUUID(), service: "orders", repository: "orders", image: "orders" },
    ...{
      build: crypto.randomUUID(),
      evidence: [],
      commits: [],
      previous: null,
      createdAt: new Date(0),
      retiredAt: null,
      pullRequest: null,
    },
  }));

function orThrow<T>(parsed: { value?: T | undefined; errors?: unknown }): T {
  if (parsed.value === undefined) throw new Error(JSON.stringify(parsed.errors));
  return parsed.value;
}

/** The instances that a deployment of this kind starts, without what only names the deployment itself. */
async function specs(kind: "deploy" | "rollback", release: Release, environment: EnvironmentFile) {
  const started: InstanceSpec[] = [];
  const deployment = newFor({ kind, service: release.service, environment: environment.name }, release);
  const world = worldOf(started);
  const stack = await renderFor(world, environment, release);
  if (typeof stack === "string") throw new Error(stack);
  const owner = { ...deployment, stack, release: release.number };
  await runAndPlace(world, owner, { names: instanceNames(owner, stack.instances), call: {} });
  return started.map(({ name: full, labels: { deployment: by, ...labels }, ...spec }) => {
    expect([by, full.includes(deployment.id.slice(0, 8))]).toEqual([deployment.id, true]);
    return { ...spec, labels, name: full.replace(deployment.id.slice(0, 8), "") };
  });
}

function worldOf(started: InstanceSpec[]): World {
  const world = {
    fleet: {
      service: async (service: string) => ({ name: service }),
      secretVersions: async () => ({ PAYMENT_KEY: 3 }),
      secretsFor: async () => ({ PAYMENT_KEY: "one", MAIL_KEY: "two" }),
    },
    routing: {
      ensureRoute: async ({ service }: { service: string }) => ({ internalUrl: `http://${service}.internal` }),
      place: async () => {},
    },
    registry: { address: () => "registry.test:5000" },
    runtime: {
      async start(spec: InstanceSpec) {
        started.push(spec);
        return { name: spec.name, address: "10.0.0.1" };
      },
    },
  };
  return world as unknown as World;
}

test("spec(rollback(release)) == spec(deploy(release))", async () => {
  await fc.assert(
    fc.asyncProperty(releases, environments("production"), async (release, environment) => {
      const deployed = await specs("deploy", release, environment);
      expect(deployed).toHaveLength(release.manifest.run.instances.min);
      expect(await specs("rollback", release, environment)).toEqual(deployed);
    }),
  );
});

test("promotion keeps the digest: every instance in every environment is made from the release's own image", async () => {
  await fc.assert(
    fc.asyncProperty(releases, environments("test"), environments("production"), async (release, first, next) => {
      for (const environment of [first, next])
        for (const { image } of await specs("deploy", release, environment))
          expect(image).toBe(`registry.test:5000/orders@${release.digest}`);
      for (const kind of ["deploy", "rollback"] as const)
        expect(newFor({ kind, service: "orders", environment: next.name }, release)).toMatchObject({
          ...{ digest: release.digest, release_id: release.id, commit: release.commit },
        });
    }),
  );
});
