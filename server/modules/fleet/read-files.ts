/** Reads what the heads of the default branches say. Always the newest head: running it twice, or late, changes nothing. */
import { parseEnvironment } from "#pipeline/environment-file.ts";
import { type Fault, renderFault } from "#pipeline/fault.ts";
import { parseManifest } from "#pipeline/manifest.ts";
import { environmentName } from "#api/names.ts";
import type { FleetDeps } from "./deps.ts";
import { fleetStore } from "./store.ts";

const branch = "refs/heads/main";

/** Takes the service that `towline.yml` describes. A faulty file changes nothing: the build of that commit tells its author. */
export async function readService({ db, emit, log, source }: FleetDeps, repository: string): Promise<void> {
  const commit = await source.resolve(repository, branch);
  const text = commit && (await source.readFile(repository, commit, "towline.yml"));
  if (!commit || text === undefined) return;
  const { value: manifest } = parseManifest(text);
  if (!manifest) return;
  await db.transaction().execute(async (tx) => {
    const ours = await fleetStore(tx).putService({ repository, manifest, commit });
    if (!ours)
      return log.warn({ repository, service: manifest.service }, "another repository has this service already");
    await emit(tx, `service:${manifest.service}`, "fleet.service-changed", { service: manifest.service, commit });
  });
}

/** Takes every environment file; one with a fault keeps its last good definition and shows the fault. */
export async function readEnvironments({ db, emit, log, source }: FleetDeps): Promise<void> {
  const commit = await source.resolve("fleet", branch);
  if (!commit) return;
  const files = (await source.listFiles("fleet", commit, "environments")).filter((file) => /\.ya?ml$/.test(file));
  const texts = await Promise.all(
    files.map(async (file) => ({ file, text: (await source.readFile("fleet", commit, file)) ?? "" })),
  );
  await db.transaction().execute(async (tx) => {
    const store = fleetStore(tx);
    const names: string[] = [];
    for (const { file, text } of texts) {
      const name = file.replace(/^.*\//, "").replace(/\.ya?ml$/, "");
      const { value, errors } = readOne({ name, text, file });
      if (errors) log.warn({ faults: errors.map(renderFault) }, "an environment file was not taken");
      if (!environmentName.safeParse(name).success) continue;
      names.push(name);
      await (value ? store.putEnvironment(value, commit) : store.putEnvironmentFault(name, errors ?? [], commit));
      if (value) await emit(tx, `environment:${name}`, "fleet.environment-changed", { environment: name, commit });
    }
    await store.removeEnvironmentsExcept(names);
  });
}

function readOne({ name, text, file }: { name: string; text: string; file: string }) {
  if (name !== "builds") return parseEnvironment(name, text, file);
  const fault: Fault = {
    code: "environment.not-supported",
    message: "`builds` names the secrets of build jobs and cannot be an environment",
    place: { file, line: 1, column: 1 },
    fix: "Rename the file.",
  };
  return { value: undefined, errors: [fault] };
}
