import { isRefusal, refuse, type Refusal } from "#api/errors.ts";
import type { Say } from "../host/apt.ts";
import { type Answer, lastWords, run } from "../host/process.ts";
import { type BaseImageName, baseImages, recipeOf } from "./catalogue.ts";
import { buildDebian, debianStamp } from "./debian.ts";
import { docker, inspectImage, removeOrphans, stampLabel, versionLabel } from "./docker.ts";
import { buildLayer, layerStamp } from "./layer.ts";
import { registryAnswers } from "./registry.ts";
import { readSources, type Sources } from "./sources.ts";

/** One base image that is there now. */
export interface BaseImageRow {
  name: BaseImageName;
  /** Our reference, `towline/base-node:24`. */
  image: string;
  /** `present`: nothing was to be done. */
  source: "present" | "pulled" | "built";
  /** Of the program in it; the official tag for an image that was pulled. */
  version: string;
  bytes: number;
  milliseconds: number;
}

/**
 * Makes sure of the named base images: pulled where a registry answers, otherwise made from Debian packages and this
 * Node. What is there already and made in today's way is left alone, so a second call takes milliseconds. Several
 * processes may do this at once. Refuses with `host.base-image-missing`.
 */
export async function ensureBaseImages(
  names: readonly BaseImageName[],
  { log }: { log: Say },
): Promise<BaseImageRow[] | Refusal> {
  const present = await Promise.all(names.map(presentRow));
  const missing = names.filter((_, at) => present[at] === undefined);
  if (missing.length === 0) return present.filter((row) => row !== undefined);
  log(`Base images: ${missing.join(", ")} missing`);
  const pulled = (await registryAnswers()) ? await Promise.all(missing.map((name) => pull(name, log))) : [];
  const rest = missing.filter((name) => !pulled.some((row) => row?.name === name));
  const built = rest.length > 0 ? await build(rest, log) : [];
  if (isRefusal(built)) return built;
  const all = [...present, ...pulled, ...built];
  return names.flatMap((name) => all.find((row) => row?.name === name) ?? []);
}

/** Gives the images the names of the official ones too, for Dockerfiles that cannot be told another base. */
export async function tagAsOfficial(names: readonly BaseImageName[]): Promise<void> {
  for (const name of names) await docker(["tag", baseImages[name].image, baseImages[name].official]);
}

async function presentRow(name: BaseImageName): Promise<BaseImageRow | undefined> {
  const start = performance.now();
  const facts = await inspectImage(baseImages[name].image);
  const stamp = facts?.labels[stampLabel];
  if (!facts || (stamp !== undefined && stamp !== stampOf(name))) return undefined;
  return toRow(name, { source: "present", facts, start });
}

function stampOf(name: BaseImageName): string {
  const recipe = recipeOf(name);
  return recipe ? layerStamp(recipe) : debianStamp;
}

async function pull(name: BaseImageName, log: Say): Promise<BaseImageRow | undefined> {
  const start = performance.now();
  const { image, official } = baseImages[name];
  const answer: Answer = await run(["docker", "pull", "--quiet", official]);
  if (answer.code !== 0) {
    log(`${official} could not be pulled, making a stand-in: ${lastWords(answer, 1)}`);
    return undefined;
  }
  await docker(["tag", official, image]);
  return finished(name, "pulled", start);
}

async function build(names: BaseImageName[], log: Say): Promise<BaseImageRow[] | Refusal> {
  const sources = await readSources(log);
  if (!sources) return nowhereToBuild(names);
  log(`No registry answers: making ${names.join(", ")} from Debian packages and the Node of this machine`);
  await removeOrphans();
  const base = await buildBase(sources, log).catch(cannotBuild);
  if (isRefusal(base)) return base;
  const layers = names.filter((name) => name !== "debian");
  const rows = await Promise.all(layers.map((name) => buildOne(name, sources).catch(cannotBuild)));
  const refused = rows.find((row) => isRefusal(row));
  return refused ?? [base, ...rows.flatMap((row) => (isRefusal(row) ? [] : [row]))];
}

/** Whatever the engine or apt objected to is for the person at this machine to see and settle. */
function cannotBuild(error: Error): Refusal {
  return refuse("host.base-image-missing", `A base image could not be made: ${error.message}`);
}

function nowhereToBuild(names: BaseImageName[]): Refusal {
  const images = names.map((name) => `${baseImages[name].official} as ${baseImages[name].image}`).join(", ");
  return refuse("host.base-image-missing", "No registry answers, and stand-ins can only be made on Debian or Ubuntu.", {
    fix: `Let the Docker Engine reach a registry, or load and tag them yourself: ${images}.`,
  });
}

async function buildBase(sources: Sources, log: Say): Promise<BaseImageRow | Refusal> {
  const present = await presentRow("debian");
  if (present) return present;
  const start = performance.now();
  const refused = await buildDebian(sources, log);
  return refused ?? finished("debian", "built", start);
}

async function buildOne(name: BaseImageName, sources: Sources): Promise<BaseImageRow> {
  const start = performance.now();
  const recipe = recipeOf(name);
  if (!recipe) throw new Error(`${name} has no recipe`);
  const before = await inspectImage(baseImages[name].image);
  await buildLayer(name, recipe, sources);
  // The one it replaces would stay without a name. An image that others were built on is kept by the engine.
  if (before) await run(["docker", "rmi", before.id]);
  return finished(name, "built", start);
}

async function finished(name: BaseImageName, source: "pulled" | "built", start: number): Promise<BaseImageRow> {
  const facts = await inspectImage(baseImages[name].image);
  if (!facts) throw new Error(`${baseImages[name].image} vanished while it was made`);
  return toRow(name, { source, facts, start });
}

function toRow(
  name: BaseImageName,
  made: Pick<BaseImageRow, "source"> & { facts: { bytes: number; labels: Record<string, string> }; start: number },
): BaseImageRow {
  const { image, official } = baseImages[name];
  const version = made.facts.labels[versionLabel] ?? official.split(":")[1] ?? "";
  const milliseconds = Math.round(performance.now() - made.start);
  return { name, image, source: made.source, version, bytes: made.facts.bytes, milliseconds };
}
