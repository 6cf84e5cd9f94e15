import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { mkdtemp, realpath, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { baseImages, type BaseImageName, type Recipe } from "./catalogue.ts";
import { debianStamp } from "./debian.ts";
import { docker, scratchContainer, stampLabel, versionLabel } from "./docker.ts";
import { caBundle, inContainer, type Sources, writeAptConfig } from "./sources.ts";

const files = join(import.meta.dirname, "files");

/** `create_main_cluster` keeps postgresql's package from making a database that nobody will use. */
const install = `
  export DEBIAN_FRONTEND=noninteractive APT_CONFIG=${inContainer}/apt/apt.conf
  mkdir -p /etc/postgresql-common
  echo "create_main_cluster = false" >/etc/postgresql-common/createcluster.conf
  apt-get install --quiet --yes --no-install-recommends -o Dpkg::Options::=--force-confold "$@"
  rm -rf /var/cache/apt/* /var/log/apt /var/log/dpkg.log /var/cache/debconf/*-old`;

/** Changes when anything that goes into the image by our hand changes: recipe, base, and the files it names. */
export function layerStamp(recipe: Recipe): string {
  const hash = createHash("sha256").update(debianStamp).update(install).update(JSON.stringify(recipe));
  for (const name of readdirSync(files).toSorted())
    if (recipe.script.includes(name)) hash.update(readFileSync(join(files, name)));
  return hash.digest("hex").slice(0, 16);
}

/** Makes one stand-in on the Debian base under our name. */
export async function buildLayer(name: BaseImageName, recipe: Recipe, sources: Sources): Promise<void> {
  const apt = await mkdtemp(join(tmpdir(), "towline-base-"));
  await using container = scratchContainer(name);
  try {
    await writeAptConfig(apt, sources);
    const script = `set -e\n${recipe.packages.length > 0 ? install : ""}\n${recipe.script}`;
    const { stdout } = await docker([
      ...["run", "--name", container.name, "--network", "host"],
      ...(await mounts(apt)),
      // `docker commit` cannot change it, but keeps what the container was given.
      ...(recipe.stopSignal ? ["--stop-signal", recipe.stopSignal] : []),
      ...[baseImages.debian.image, "sh", "-c", script, "sh", ...recipe.packages],
    ]);
    const version = /\d+(\.\d+)+/.exec(stdout.split("\n").at(-1) ?? "")?.[0] ?? "unknown";
    await commit(container.name, baseImages[name].image, [
      ...recipe.configuration,
      `LABEL ${stampLabel}=${layerStamp(recipe)} ${versionLabel}=${version}`,
    ]);
  } finally {
    await rm(apt, { recursive: true, force: true });
  }
}

async function mounts(apt: string): Promise<string[]> {
  const pairs = [
    ["/var/lib/apt/lists", "/var/lib/apt/lists"],
    [apt, `${inContainer}/apt`],
    [files, `${inContainer}/files`],
    [await realpath(process.execPath), `${inContainer}/node`],
    ...(existsSync(caBundle.host) ? [[caBundle.host, caBundle.container]] : []),
  ];
  return ["--tmpfs", inContainer, ...pairs.flatMap(([from, to]) => ["--volume", `${from}:${to}:ro`])];
}

async function commit(container: string, image: string, configuration: string[]): Promise<void> {
  await docker(["commit", ...configuration.flatMap((line) => ["--change", line]), container, image]);
}
