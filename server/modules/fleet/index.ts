import { isPreview, type PreviewRules, previewTemplate } from "#pipeline/preview-rules.ts";
import { type EnvironmentFile, environmentFileSchema } from "#pipeline/environment-file.ts";
import type { Manifest } from "#pipeline/manifest.ts";
import { newSecret } from "#kernel/clock.ts";
import type { Tx } from "#kernel/database.ts";
import type { Task } from "#kernel/jobs.ts";
import type { Reaction } from "#kernel/outbox.ts";
import type { FleetDeps } from "./deps.ts";
import { promotionOrder } from "./core/promotion-order.ts";
import { checkEnvironments, readEnvironments, readRepository } from "./read-files.ts";
import { fleetReactions, readTask } from "./reactions.ts";
import { fleetRoutes } from "./routes.ts";
import { secretsInGit } from "./secrets-in-git.ts";
import { fleetSecrets } from "./secrets.ts";
import { seedFiles } from "./seed.ts";
import { fleetStore, secretStore } from "./store.ts";

export { servicesAt } from "./services-at.ts";

/** The repository whose `environments/*.yml` are the environments. */
export const fleetRepository = "fleet";

export interface Service {
  name: string;
  repository: string;
  /** Path in the repository; empty for the whole of it. */
  folder: string;
  owner: string | null;
  manifest: Manifest;
  /** Head of the default branch when the manifest was read. */
  commit: string;
  /** Since when its repository describes it no more; it may still run. */
  gone_at: Date | null;
}

export interface Fleet {
  service(name: string): Promise<Service | undefined>;
  services(): Promise<Service[]>;
  /** That of a pull request, `preview-7`, is what the template says; whether it stands is not known here. */
  environment(name: string): Promise<EnvironmentFile | undefined>;
  /** What the template of environments for pull requests says; undefined where there is none. */
  previews(): Promise<PreviewRules | undefined>;
  /** Forgets what was made for the environment of a pull request alone. */
  forgetPreview(environment: string): Promise<void>;
  /** In the order of promotion, without those of pull requests. */
  environments(): Promise<EnvironmentFile[]>;
  /** Secrets for instances of a service, by name; those in Git win, then the most specific. Throws when one cannot be opened. */
  secretsFor(service: string, environment: string): Promise<Record<string, string>>;
  /** By name, a number that is another one whenever the value is. Opens nothing. */
  secretVersions(service: string, environment: EnvironmentFile): Promise<Record<string, number>>;
  /** Secrets for the build jobs of a service, as far as it belongs to the repository; of none those that are for all. */
  jobSecrets(repository: string, service: string | null): Promise<Record<string, string>>;
  /** The password of a backing service: made once, then always the same. */
  backingPassword(environment: string, backing: string): Promise<string>;
  handlers: ReturnType<typeof fleetRoutes>;
  reactions: Reaction[];
  tasks: Record<string, Task>;
  /** Makes the fleet repository on the first start, then reads every repository anew. */
  start(): Promise<void>;
}

export function createFleet(deps: FleetDeps): Fleet {
  const { db, emit, jobs, source, vault, identity } = deps;
  const store = fleetStore(db);
  const secrets = fleetSecrets(db, vault);
  source.guard(fleetRepository, (files) => checkEnvironments(identity, files));
  const inGit = secretsInGit(identity);

  const enqueue = (tx: Tx, repository: string) =>
    jobs.add(tx, readTask, { repository }, { key: `${readTask}:${repository}` });

  async function environments(): Promise<EnvironmentFile[]> {
    const rows = await store.environments();
    return promotionOrder(
      rows.filter(({ name }) => name !== previewTemplate).flatMap((row) => definitionOf(row) ?? []),
    );
  }

  async function readEnvironment(name: string): Promise<EnvironmentFile | undefined> {
    if (name === previewTemplate) return undefined;
    const found = definitionOf(await store.environment(isPreview(name) ? previewTemplate : name));
    return found && { ...found, name };
  }

  return {
    service: (name) => store.service(name),
    services: () => store.services(),
    environment: readEnvironment,
    previews: async () => definitionOf(await store.environment(previewTemplate))?.preview,
    forgetPreview: async (name) => void (isPreview(name) && (await secretStore(db).deleteBackingSecrets(name))),
    environments,
    async secretsFor(service, environment) {
      const kept = await secrets.open([service, "*"], scopesOf(environment));
      const file = await readEnvironment(environment);
      return { ...kept, ...(file && (await inGit.open(service, file))) };
    },
    async secretVersions(service, environment) {
      const kept = await secrets.versions([service, "*"], scopesOf(environment.name));
      return { ...kept, ...inGit.versions(service, environment) };
    },
    async jobSecrets(repository, service) {
      const own = (await store.servicesOf(repository)).filter(({ name, folder }) => name === service || folder === "");
      return secrets.open([...own.map(({ name }) => name), "*"], ["builds"]);
    },
    backingPassword: (environment, backing) =>
      secrets.ensure({ service: "@backing", environment, name: backing }, newSecret),
    handlers: fleetRoutes({ db, emit, secrets, vault, identity, source }),
    reactions: fleetReactions(enqueue),
    tasks: {
      async [readTask](payload) {
        const { repository } = payload as { repository: string };
        await (repository === fleetRepository ? readEnvironments(deps) : readRepository(deps, repository));
      },
    },
    async start() {
      await source.ensureRepository({ name: fleetRepository, allowDirectPush: true });
      const head = await source.resolve(fleetRepository, "refs/heads/main");
      if (!head) await source.commitFiles({ repository: fleetRepository, branch: "main", ...seedFiles });
      const repositories = await source.repositories();
      await db.transaction().execute(async (tx) => {
        for (const { name } of repositories) await enqueue(tx, name);
      });
    },
  };
}

/** Code of a pull request is not reviewed yet: it gets what was set for previews by name, and nothing that is for every environment. */
const scopesOf = (environment: string) => (isPreview(environment) ? [previewTemplate] : [environment, "*"]);

/** A definition that an older version wrote gets the rules that it knew nothing of. */
function definitionOf(row: { definition: EnvironmentFile | null } | undefined): EnvironmentFile | undefined {
  return row?.definition ? environmentFileSchema.parse(row.definition) : undefined;
}
