/** The services of one repository: which folders hold them, and which of them a change concerns. */
import { compileGlob } from "./expression/glob.ts";
import type { Fuel } from "./expression/regex.ts";
import type { Fault } from "./fault.ts";
import { type Manifest, parseManifest } from "./manifest.ts";

export const manifestName = "towline.yml";

/** Services of one repository. */
export const mostServices = 200;

export interface RepositoryService {
  /** As its manifest names it; where that has a fault, the last part of its folder. */
  name: string;
  /** Path from the root of the repository; empty for a service that is the whole repository. */
  folder: string;
  /** Undefined where it has a fault. */
  manifest: Manifest | undefined;
  /** Why it cannot be built: of its manifest, or of its place among the others. */
  faults: Fault[];
}

/** A path of the service's folder as one of the repository. */
export const inFolder = (folder: string, path: string): string => (folder === "" ? path : `${folder}/${path}`);

/**
 * Folders of services among the paths of manifests. One at the root makes the whole repository one service. Hidden folders and
 * what was brought in from elsewhere hold none.
 */
export function serviceFolders(paths: readonly string[]): string[] {
  if (paths.includes(manifestName)) return [""];
  const folders = paths
    .filter((path) => path.endsWith(`/${manifestName}`))
    .map((path) => path.slice(0, -manifestName.length - 1));
  return folders.filter((folder) => !folder.split("/").some(isForeign)).toSorted();
}

const isForeign = (part: string): boolean => part.startsWith(".") || part === "node_modules" || part === "vendor";

/** Reads the manifests of a repository. A name that two have is neither's, and no service stands in another one's folder. */
export function readServices(manifests: readonly { folder: string; text: string }[]): RepositoryService[] {
  const read = manifests.map(({ folder, text }) => readOne(folder, text));
  return read.map((service) => ({ ...service, faults: [...service.faults, ...placeFaults(service, read)] }));
}

function readOne(folder: string, text: string): RepositoryService {
  const { value, errors = [] } = parseManifest(text, inFolder(folder, manifestName));
  const name = value?.service ?? folder.split("/").at(-1) ?? "";
  return { name, folder, manifest: value, faults: errors };
}

function placeFaults({ name, folder, manifest }: RepositoryService, all: readonly RepositoryService[]): Fault[] {
  const place = { file: inFolder(folder, manifestName), line: 1, column: 1 };
  const outer = all.find((other) => other.folder !== folder && folder.startsWith(`${other.folder}/`));
  const twin = all.find((other) => other.folder !== folder && other.manifest && other.name === name);
  const faults: Fault[] = [];
  if (outer)
    faults.push({
      code: "manifest.nested",
      message: `the folder ${folder} stands in the folder of the service ${outer.name}: no file belongs to two`,
      place,
      fix: `move it out of ${outer.folder}, or give the file another name if it describes no service`,
    });
  if (twin && manifest)
    faults.push({
      code: "manifest.duplicate-service",
      message: `the service ${name} is also described by ${inFolder(twin.folder, manifestName)}`,
      place,
      fix: "give one of them another name",
    });
  return faults;
}

/** What a service is built from, for people: its folder, and what it shares with others. */
export function pathsOf({ folder, manifest }: Pick<RepositoryService, "folder" | "manifest">): string[] {
  return [`${folder}/`, ...(manifest?.shared ?? [])];
}

/** What comparing the paths of one build may cost: less than a second. Beyond it everything counts as changed. */
export const comparingFuel = (): Fuel => ({ left: 5_000_000 });

/** Whether one of the paths belongs to the service. One with a fault is always concerned: somebody should learn of it. */
export function concerns(
  { folder, manifest, faults }: RepositoryService,
  changed: readonly string[],
  fuel: Fuel = comparingFuel(),
): boolean {
  if (folder === "" || faults.length > 0) return true;
  const shared = (manifest?.shared ?? []).map(matcherOf);
  return changed.some((path) => {
    fuel.left--;
    return path.startsWith(`${folder}/`) || shared.some((fits) => fits(path, fuel)) || fuel.left < 0;
  });
}

/** A folder with all in it, a file, or what a glob finds. */
function matcherOf(written: string): (path: string, fuel: Fuel) => boolean {
  const shared = written.replace(/\/+$/, "");
  const compiled = compileGlob(shared);
  if ("problem" in compiled) throw new Error(`unchecked glob \`${written}\`: ${compiled.problem}`);
  return (path, fuel) => path === shared || path.startsWith(`${shared}/`) || compiled.matches(path, fuel);
}

/**
 * Changed paths as the pipeline of a service in a folder sees them: from its folder on. What lies outside begins with a slash, at
 * the root of the repository.
 */
export function seenFrom(folder: string, changed: readonly string[]): string[] {
  if (folder === "") return [...changed];
  const inside = `${folder}/`;
  return changed.map((path) => (path.startsWith(inside) ? path.slice(inside.length) : `/${path}`));
}
