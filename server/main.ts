/** Composition root: config → database → drivers → modules → HTTP → background roles. Nothing else joins these. */
import { mkdir, readFile } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import type { FastifyInstance } from "fastify";
import { accessEndpoints } from "#api/endpoints/access.ts";
import { attestationEndpoints } from "#api/endpoints/attestations.ts";
import { backingEndpoints } from "#api/endpoints/backing.ts";
import { contractEndpoints } from "#api/endpoints/contracts.ts";
import { deploymentEndpoints } from "#api/endpoints/deployments.ts";
import { fleetEndpoints } from "#api/endpoints/fleet.ts";
import { gateEndpoints } from "#api/endpoints/gates.ts";
import { healthEndpoints } from "#api/endpoints/health.ts";
import { imageEndpoints } from "#api/endpoints/images.ts";
import { ingressEndpoints } from "#api/endpoints/ingresses.ts";
import { endpointsOfBuilds } from "#api/endpoints/of-builds.ts";
import { placeEndpoints } from "#api/endpoints/places.ts";
import { releaseEndpoints } from "#api/endpoints/releases.ts";
import { routingEndpoints } from "#api/endpoints/routing.ts";
import { sourceEndpoints } from "#api/endpoints/source.ts";
import { upstreamEndpoints } from "#api/endpoints/upstreams.ts";
import { allEndpoints } from "#api/endpoints.ts";
import { orThrow, refuse, type Refusal, RefusalError } from "#api/errors.ts";
import { type Access, createAccess } from "#access";
import { createAttestations } from "#attestations";
import { createBuilds } from "#builds";
import { createContracts } from "#contracts";
import { createDeployments, createDisk, type DeploymentsDeps } from "#deployments";
import { createHaproxyBalancer } from "#drivers/balancer/haproxy/balancer.ts";
import type { Blobs } from "#drivers/blobs/contract.ts";
import { openFsBlobs } from "#drivers/blobs/fs.ts";
import { openS3Blobs } from "#drivers/blobs/s3.ts";
import { createGit } from "#drivers/git/binary.ts";
import { createHttpNotifier } from "#drivers/notifier/http.ts";
import { createRuntimeByTarget } from "#drivers/runtime/by-target.ts";
import { createDockerRuntime } from "#drivers/runtime/docker/runtime.ts";
import { createSwarmRuntime, isOfSwarm } from "#drivers/runtime/swarm/runtime.ts";
import { createHttpUpstream } from "#drivers/upstream/http.ts";
import { createFleet } from "#fleet";
import { createImages } from "#images";
import { unfinishedRestore } from "#kernel/backup/restore.ts";
import { systemClock } from "#kernel/clock.ts";
import type { Config } from "#kernel/config.ts";
import { type Database, openDatabase, isAnswering } from "#kernel/database.ts";
import { startEmbeddedPostgres } from "#kernel/embedded-postgres.ts";
import { createEventFeed } from "#kernel/event-feed.ts";
import { isThere, writeDurably } from "#kernel/files.ts";
import type { Look } from "#kernel/health.ts";
import { createHttp, type HttpDeps, serveEndpoints } from "#kernel/http.ts";
import { openIdentity } from "#kernel/identity.ts";
import { installationId } from "#kernel/installation.ts";
import { jobs, startJobs } from "#kernel/jobs.ts";
import { serveLive } from "#kernel/live.ts";
import type { Log } from "#kernel/log.ts";
import { migrate } from "#kernel/migrations.ts";
import { openApi } from "#kernel/openapi.ts";
import { createEventRetention } from "#kernel/old-events.ts";
import { createOutbox } from "#kernel/outbox.ts";
import { createPulse, type Pulse } from "#kernel/pulse.ts";
import { lockProcess } from "#kernel/process-lock.ts";
import { stopInTime } from "#kernel/stop-in-time.ts";
import { openVault } from "#kernel/vault.ts";
import { openWake, type Wake } from "#kernel/wake.ts";
import { createReleases } from "#releases";
import { createRouting } from "#routing";
import { createSource } from "#source";
import { healthHandlers } from "./health.ts";
import { serveWeb } from "./web.ts";
import packageJson from "../package.json" with { type: "json" };

export interface Server extends AsyncDisposable {
  url: string;
  /** The admin's token, on the very first start only. */
  adminToken: string | undefined;
  /** The token of the agent on this machine, also kept in the home. */
  agentToken: string;
}

export interface Assets {
  /** Folder of the built web interface; without one only programs are served. */
  web?: string;
  /** Looks over this machine for the page on the platform's health. */
  examineMachine?: Look;
}

/** Starts the control plane. Disposing it ends what it started in reverse order and leaves balancer and instances running. */
export async function startServer(config: Config, log: Log, { web, examineMachine }: Assets = {}): Promise<Server> {
  await using stack = new AsyncDisposableStack();
  const stopping = new AbortController();
  await mkdir(config.home, { recursive: true, mode: 0o711 });
  if (await isThere(join(config.home, unfinishedRestore))) throw new RefusalError(halfRestored(config.home));
  stack.use(orThrow(await lockProcess(join(config.home, "server.lock"), `another server runs in ${config.home}`)));
  const databaseUrl = config.databaseUrl ?? (await embedded(config, log, stack));
  const { db, pool } = stack.use(stopInTime("the pool of connections", openDatabase(databaseUrl, log), log));
  await migrate(pool);
  const wake = stack.use(stopInTime("the wake", await openWake(databaseUrl, log), log));
  const outbox = createOutbox({ db, wake, log });
  const address = { port: config.port };
  const pulse = createPulse();
  const common = { config, address, log, db, wake, emit: outbox.emit, pulse, stores: await blobStores(config) };
  const modules = await createModules({ ...common, stopping: stopping.signal });
  const { access, source, fleet, builds, images, contracts, releases, attestations, routing, deployments } = modules;
  const events = createEventRetention({ db, clock: systemClock, days: config.eventDays });
  for (const { reactions } of [source, fleet, builds, images, contracts, releases, attestations, deployments])
    outbox.subscribe(reactions);

  const app = createHttp({ log });
  const http = { log, authenticate: access.authenticate, stopping: stopping.signal };
  serveModules(app, modules, http);
  serveEndpoints(app, http, {
    table: healthEndpoints,
    handlers: healthHandlers({ ...common, ...modules, examineMachine }),
  });
  serveState(app, db, stopping.signal);
  if (web !== undefined) serveWeb(app, web);
  const feed = createEventFeed({ db, wake, log, stopping: stopping.signal });
  serveLive(app, { ...http, feed, pulse });
  const adminToken = await access.ensureAdmin();
  const agentToken = await keepAgentToken(config.home, () => access.issueAgentToken("local"));
  for (const each of [access, source, fleet, images, attestations, routing, deployments, events]) await each.start();
  stack.use(stopInTime("builds", await builds.start(), log));
  await app.listen({ host: config.host, port: config.port });
  address.port = portOf(app);
  stack.use(stopInTime("the outbox", outbox.start(), log));
  const tasks = Object.assign(
    {},
    ...[access, source, fleet, builds, images, contracts, releases, attestations, routing, deployments, events].map(
      (each) => each.tasks,
    ),
  );
  stack.use(stopInTime("the jobs", startJobs({ db, wake, log, tasks }), log));
  stack.use(stopInTime("HTTP", { [Symbol.asyncDispose]: () => closeHttp(app) }, log));
  const kept = stack.move();
  return {
    url: config.publicUrl ?? `http://${config.host}:${portOf(app)}`,
    adminToken,
    agentToken,
    async [Symbol.asyncDispose]() {
      stopping.abort();
      await kept.disposeAsync();
    },
  };
}

function halfRestored(home: string): Refusal {
  const fix = "Remove the folder and restore again.";
  return refuse("conflict", `a restore into ${home} did not end`, { fix });
}

/** Requests at work get this long to end once the server stops. */
const closeDeadlineMs = 10_000;

async function closeHttp(app: FastifyInstance): Promise<void> {
  // A client may hold a connection on which it never asked anything; that one counts as busy.
  const cut = setTimeout(() => app.server.closeAllConnections(), closeDeadlineMs);
  await app.close();
  clearTimeout(cut);
}

interface ModuleDeps {
  config: Config;
  /** Where the server listens; known once it does. */
  address: { port: number };
  log: Log;
  db: Database;
  wake: Wake;
  emit: ReturnType<typeof createOutbox>["emit"];
  pulse: Pulse;
  stores: BlobStores;
  stopping: AbortSignal;
}

/** Where an engine keeps images, unless somebody moved it. */
const dockerFolder = "/var/lib/docker";

/** The modules in the order of the flow: each gets the doors before it. */
async function createModules({ config, address, stopping, wake, pulse, stores, ...common }: ModuleDeps) {
  const { home, diskFloor, testDays, keep } = config;
  const logRules = { days: config.logDays, room: config.logRoom };
  const deps = { ...common, clock: systemClock, jobs };
  const access = createAccess(deps);
  const { authenticate } = access;
  const source = createSource({ ...deps, git: createGit(), authenticate, home, diskFloor, stopping });
  const vault = await openVault(home);
  const notifier = createHttpNotifier();
  const fleet = createFleet({ ...deps, source, vault, identity: await openIdentity(home) });
  const ofBuilds = {
    ...{
      wake,
      home,
      diskFloor,
      logRules,
      testDays,
      buildRules: { days: config.buildDays, keep: keep.builds },
      access,
      source,
      fleet,
      vault,
      notifier,
      artifactDays: config.artifactDays,
    },
    // Apart from the images': what is swept there is not known here.
    blobs: await stores.open("artifacts"),
  };
  const builds = createBuilds({ ...deps, ...ofBuilds });
  const ofImages = { vault, upstream: createHttpUpstream(), blobs: await stores.open(""), config };
  const images = await createImages({ ...deps, access, ...ofImages });
  const contracts = createContracts({ ...deps, access, vault, notifier, config });
  const releases = createReleases({ ...deps, source, fleet, builds });
  const install = await installationId(home);
  const origin = originOf(install, { address, publicUrl: config.publicUrl });
  const attestations = createAttestations({ ...deps, builds, contents: images.contents, releases, vault, origin });
  const { runtime, whyUnfit } = createRuntimeByTarget({
    docker: createDockerRuntime({ install }),
    swarm: createSwarmRuntime({ install }),
    isOfSwarm,
    targetOf: async (environment) => (await fleet.environment(environment))?.target,
  });
  const balancer = createHaproxyBalancer({
    install,
    image: config.haproxyImage,
    directory: join(home, "balancer"),
    publish: { host: config.host, port: config.httpPort },
  });
  const { looked } = pulse;
  const routing = createRouting({ ...deps, access, fleet, balancer, runtime, looked, httpPort: config.httpPort });
  const registry = createRegistryAccess(deps.db, access, { address, cluster: config.registryAddress });
  const disk = createDisk([home, dockerFolder], { floor: diskFloor, mark: config.diskMark });
  const ofDeployments = {
    ...{ releases, routing, runtime, whyUnfit, registry, keep, disk, diskFloor },
    backups: await stores.open("backups"),
  };
  const deployments = createDeployments({ ...deps, source, fleet, builds, contracts, attestations, ...ofDeployments });
  return { access, source, fleet, builds, images, contracts, releases, attestations, routing, deployments, disk };
}

interface BlobStores {
  /** The store in a folder of the home: empty, or such as `artifacts`. */
  open(folder: string): Promise<Blobs>;
  /** Throws why contents can be neither stored nor read. */
  checkStore?: () => Promise<void>;
}

/** Where contents lie: in folders of the home, or under the same names in a bucket. Its library is loaded only where there is one. */
async function blobStores({ home, s3 }: Config): Promise<BlobStores> {
  if (!s3) return { open: (folder) => openFsBlobs(join(home, folder)) };
  const { openBucket } = await import("#drivers/blobs/s3-bucket.ts");
  const bucket = openBucket(s3);
  return { open: (folder) => openS3Blobs({ home, bucket, folder }), checkStore: bucket.check };
}

/** What this installation calls itself in what it signs. */
function originOf(install: string, place: Pick<ModuleDeps, "address"> & { publicUrl: string | undefined }) {
  return {
    builder: `urn:towline:installation:${install}`,
    version: packageJson.version,
    get sources() {
      return `${place.publicUrl ?? `http://127.0.0.1:${place.address.port}`}/git/`;
    },
  };
}

interface RegistryPlace {
  address: { port: number };
  /** What the machines of a cluster reach it by. */
  cluster: string | undefined;
}

/** How Docker Engines pull from our own registry: at our address, on this machine or for a cluster, by a token for one repository and a while. */
function createRegistryAccess(
  db: Database,
  access: Pick<Access, "issueJobToken">,
  { address, cluster }: RegistryPlace,
): DeploymentsDeps["registry"] {
  const lifeMs = 30 * 60_000;
  return {
    address: (target) => (target === "swarm" && cluster) || `127.0.0.1:${address.port}`,
    async auth(repository) {
      const grants = { repositories: { [repository]: ["pull" as const] } };
      const expiresAt = new Date(systemClock.now().getTime() + lifeMs);
      const password = await db
        .transaction()
        .execute((tx) => access.issueJobToken(tx, { name: `pull ${repository}`, grants, expiresAt }));
      return { username: "towline", password };
    },
  };
}

type Modules = Awaited<ReturnType<typeof createModules>>;

function serveModules(app: FastifyInstance, modules: Modules, http: HttpDeps): void {
  serveEndpoints(app, http, { table: accessEndpoints, handlers: modules.access.handlers });
  serveEndpoints(app, http, { table: sourceEndpoints, handlers: modules.source.handlers });
  serveEndpoints(app, http, { table: fleetEndpoints, handlers: modules.fleet.handlers });
  serveEndpoints(app, http, { table: endpointsOfBuilds, handlers: modules.builds.handlers });
  serveEndpoints(app, http, { table: contractEndpoints, handlers: modules.contracts.handlers });
  serveEndpoints(app, http, { table: { ...imageEndpoints, ...upstreamEndpoints }, handlers: modules.images.handlers });
  serveEndpoints(app, http, { table: releaseEndpoints, handlers: modules.releases.handlers });
  serveEndpoints(app, http, { table: attestationEndpoints, handlers: modules.attestations.handlers });
  serveEndpoints(app, http, {
    table: { ...routingEndpoints, ...ingressEndpoints },
    handlers: modules.routing.handlers,
  });
  serveEndpoints(app, http, {
    table: { ...deploymentEndpoints, ...gateEndpoints, ...placeEndpoints, ...backingEndpoints },
    handlers: modules.deployments.handlers,
  });
  modules.access.register(app);
  modules.source.register(app);
  modules.builds.register(app, http.authenticate);
  modules.images.register(app);
  modules.contracts.register(app, "/pact");
  modules.deployments.register(app, http);
}

/** What tells about the server itself. Alive: the process answers; ready: it can do its work. */
function serveState(app: FastifyInstance, db: Database, stopping: AbortSignal): void {
  // Made when it is first asked for: it would be a tenth of the processor time of a start.
  let document: object | undefined;
  app.get("/api/openapi.json", () => (document ??= openApi(allEndpoints, packageJson.version)));
  app.get("/api/alive", () => ({ alive: true }));
  app.get("/api/ready", async (_, reply) => {
    const ready = !stopping.aborted && (await isAnswering(db));
    return reply.code(ready ? 200 : 503).send({ ready });
  });
}

function portOf(app: FastifyInstance): number {
  return (app.server.address() as AddressInfo).port;
}

async function embedded(config: Config, log: Log, stack: AsyncDisposableStack): Promise<string> {
  const postgres = await startEmbeddedPostgres(config.home, log);
  stack.defer(() => postgres.stop());
  return postgres.url;
}

async function keepAgentToken(home: string, issue: () => Promise<string>): Promise<string> {
  const path = join(home, "secrets", "agent-token");
  const known = await readFile(path, "utf8").catch(() => undefined);
  if (known) return known;
  const token = await issue();
  await writeDurably(path, token);
  return token;
}
