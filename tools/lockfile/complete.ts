/**
 * Completes package-lock.json: `npm install` leaves out optional platform packages that the registry in use does not
 * serve (a mirror may hold only some), and `npm ci` then refuses the whole file. They are added by version alone, which
 * the machines that skip them never fetch and the others check against their registry.
 */

/** One entry below `packages` of a lockfile, as far as this file reads it. */
export interface LockEntry {
  version?: string;
  dev?: boolean;
  optional?: boolean;
  os?: string[];
  cpu?: string[];
  libc?: string[];
  optionalDependencies?: Record<string, string>;
  [other: string]: unknown;
}

export interface Lockfile {
  packages: Record<string, LockEntry>;
  [other: string]: unknown;
}

const systems = ["android", "darwin", "freebsd", "linux", "openharmony", "win32"];
const processors = ["arm", "arm64", "ia32", "loong64", "ppc64", "riscv64", "s390x", "wasm32", "x64"];

/** The platform that a package name states: `@oxlint/binding-linux-arm64-musl` is for linux, arm64, musl. */
export function platformOf(name: string): Pick<LockEntry, "os" | "cpu" | "libc"> {
  const words = name.split(/[/-]/);
  const os = systems.filter((system) => words.includes(system));
  const cpu = processors.filter((processor) => words.includes(processor));
  const libc = words.some((word) => word.startsWith("gnu"))
    ? ["glibc"]
    : words.some((word) => word.startsWith("musl"))
      ? ["musl"]
      : [];
  return { ...(os.length > 0 && { os }), ...(cpu.length > 0 && { cpu }), ...(libc.length > 0 && { libc }) };
}

/** Optional packages that some entry asks for and the lockfile does not name: `[path, entry to add]`. */
export function missingEntries(lock: Lockfile): [string, LockEntry][] {
  return Object.entries(lock.packages).flatMap(([path, parent]) =>
    Object.entries(parent.optionalDependencies ?? {})
      .filter(([name, version]) => !isThere(lock, path, { name, version }))
      .map(([name, version]): [string, LockEntry] => [
        // What stands at the root in another version has to stand below its parent in this one.
        `${`node_modules/${name}` in lock.packages ? `${path}/` : ""}node_modules/${name}`,
        {
          version: version.replace(/^[\^~]/, ""),
          ...platformOf(name),
          ...(parent.dev && { dev: true }),
          optional: true,
        },
      ]),
  );
}

/** Whether the parent finds it, below itself or at the root. Of a range any version will do, which is npm's to judge. */
function isThere(
  { packages }: Lockfile,
  parent: string,
  { name, version }: { name: string; version: string },
): boolean {
  const found = packages[`${parent}/node_modules/${name}`] ?? packages[`node_modules/${name}`];
  return found !== undefined && (!/^\d/.test(version) || found.version === version);
}

/** The lockfile with every missing optional package, its paths in npm's order. */
export function completed(lock: Lockfile): Lockfile {
  const paths = Object.entries({ ...lock.packages, ...Object.fromEntries(missingEntries(lock)) });
  paths.sort(([a], [b]) => a.localeCompare(b, "en"));
  return { ...lock, packages: Object.fromEntries(paths) };
}
