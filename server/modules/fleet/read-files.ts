/** Reads what the heads of the default branches say. Always the newest head: running it twice, or late, changes nothing. */
import { isDeepStrictEqual } from "node:util";
import { type Fault, renderFault } from "#pipeline/fault.ts";
import {
  checkFleet,
  type FleetFile,
  isEnvironmentFile,
  readEnvironmentFiles,
  sealedSecrets,
} from "#pipeline/fleet-files.ts";
import { isRefusal } from "#api/errors.ts";
import { environmentName } from "#api/names.ts";
import type { Identity } from "#kernel/identity.ts";
import type { Entering } from "#source";
import type { FleetDeps } from "./deps.ts";
import { servicesAt } from "./services-at.ts";
import { fleetStore } from "./store.ts";

const branch = "refs/heads/main";

/**
 * Takes the services that the manifests of a repository describe. A faulty one changes nothing: the build of that commit tells its
 * author. What is described no more stays as it was, for it may still run, and is marked.
 */
export async function readRepository({ db, emit, log, source }: FleetDeps, repository: string): Promise<void> {
  const commit = await source.resolve(repository, branch);
  const services = commit && (await servicesAt(source, repository, commit));
  if (!commit || !services) return;
  if (isRefusal(services)) return log.warn({ repository, why: services.message }, "its services were not read");
  await db.transaction().execute(async (tx) => {
    const store = fleetStore(tx);
    const faulty = services.filter(({ faults }) => faults.length > 0);
    await store.markGone(repository, {
      names: services.map(({ name }) => name),
      folders: faulty.map(({ folder }) => folder),
    });
    for (const { folder, manifest, faults } of services) {
      if (!manifest || faults.length > 0) continue;
      const { service } = manifest;
      const before = await store.service(service);
      const ours = await store.putService({ repository, folder, manifest, commit });
      const known = before && !before.gone_at && before.repository === repository && before.folder === folder;
      if (ours && known && isSame(before.manifest, manifest)) continue;
      if (ours) await emit(tx, `service:${service}`, "fleet.service-changed", { service, commit });
      else log.warn({ repository, service }, "another repository has this service already");
    }
  });
}

/** Takes every environment file; one with a fault keeps its last good definition and shows the fault. */
export async function readEnvironments({ db, emit, log, source }: FleetDeps): Promise<void> {
  const commit = await source.resolve("fleet", branch);
  if (!commit) return;
  const files = await filesOf({
    listFiles: (folder) => source.listFiles("fleet", commit, folder),
    readFile: (path) => source.readFile("fleet", commit, path),
  });
  await db.transaction().execute(async (tx) => {
    const store = fleetStore(tx);
    const names: string[] = [];
    const changed = (environment: string) =>
      emit(tx, `environment:${environment}`, "fleet.environment-changed", { environment, commit });
    for (const { name, parsed } of readEnvironmentFiles(files)) {
      const { value, errors } = parsed;
      if (errors) log.warn({ faults: errors.map(renderFault) }, "an environment file was not taken");
      if (!environmentName.safeParse(name).success) continue;
      names.push(name);
      const before = await store.environment(name);
      await (value ? store.putEnvironment(value, commit) : store.putEnvironmentFault(name, errors ?? [], commit));
      if (value && !isSame(before?.definition, value)) await changed(name);
    }
    for (const { name } of await store.removeEnvironmentsExcept(names)) await changed(name);
  });
}

/** Whether a value that was read says what was kept of one before, as JSON: files are read again at every start, and only a change is told. */
function isSame(kept: unknown, value: object): boolean {
  return isDeepStrictEqual(kept, JSON.parse(JSON.stringify(value)));
}

/** What a commit to the fleet must stand up to. */
export async function checkEnvironments(identity: Identity, entering: Entering): Promise<Fault[]> {
  const files = await filesOf(entering);
  const faults = checkFleet(files);
  for (const { text, fault } of sealedSecrets(files)) if (!(await opens(identity, text))) faults.push(fault());
  return faults;
}

function opens(identity: Identity, text: string): Promise<boolean> {
  return identity.decrypt(text).then(
    () => true,
    () => false,
  );
}

async function filesOf({ listFiles, readFile }: Entering): Promise<FleetFile[]> {
  const files = (await listFiles("environments")).filter(isEnvironmentFile);
  return Promise.all(files.map(async (file) => ({ file, text: (await readFile(file)) ?? "" })));
}
