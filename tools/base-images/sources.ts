import { access, constants, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { refreshLists, type Say } from "../host/apt.ts";
import { run } from "../host/process.ts";

/** The distribution of this machine, as far as packages are concerned. */
export interface Sources {
  /** `bookworm`. */
  suite: string;
  /** Lines of a sources.list: the distribution's own `main`, no third parties. */
  lines: string[];
  /** Lines of an apt.conf: how this machine reaches the mirror (proxies, certificates). */
  configuration: string[];
}

/** Where a container finds what this machine lends it; nothing below stays in the image. */
export const inContainer = "/run/towline";

/** The host's CA certificates as a container sees them; its own may be fewer, and a mirror may need them. */
export const caBundle = { host: "/etc/ssl/certs/ca-certificates.crt", container: `${inContainer}/ca.crt` };

/** Where apt of this machine gets its packages; undefined when this is no Debian-like machine. */
export async function readSources(log: Say): Promise<Sources | undefined> {
  const release = await readFile("/etc/os-release", "utf8").catch(() => "");
  const id = /^ID="?(\w+)/m.exec(release)?.[1];
  const suite = /^VERSION_CODENAME="?(\w+)/m.exec(release)?.[1];
  if (id === undefined || suite === undefined || (await run(["apt-get", "--version"])).code !== 0) return undefined;
  if (process.getuid?.() === 0) await refreshLists(log);
  const lines = await ownTargets(id);
  return lines.length === 0 ? undefined : { suite, lines, configuration: await acquireConfiguration() };
}

async function ownTargets(id: string): Promise<string[]> {
  const format = "$(ORIGIN)|$(COMPONENT)|$(REPO_URI)|$(RELEASE)";
  const { stdout } = await run(["apt-get", "indextargets", "Created-By: Packages", "--format", format]);
  const rows = stdout.split("\n").map((line) => line.split("|"));
  const own = rows.filter(([origin, component]) => origin?.toLowerCase() === id && component === "main");
  return [...new Set(own.map(([, , uri, release]) => `deb ${uri} ${release} main`))];
}

async function acquireConfiguration(): Promise<string[]> {
  const { stdout } = await run(["apt-config", "dump"]);
  const acquire = stdout.split("\n").filter((line) => /^Acquire::(?!IndexTargets)[^ ]+ ".+";$/.test(line));
  const proxies = ["http", "https"].flatMap((scheme) => {
    const proxy = process.env[`${scheme}_proxy`];
    return proxy ? [`Acquire::${scheme}::Proxy "${proxy}";`] : [];
  });
  return [...acquire, ...proxies];
}

/** Writes the file that APT_CONFIG names in the containers that install packages, and the sources.list beside it. */
export async function writeAptConfig(folder: string, sources: Sources): Promise<void> {
  const ca = await access(caBundle.host, constants.R_OK).then(
    () => [`Acquire::https::CaInfo "${caBundle.container}";`],
    () => [],
  );
  const lines = [
    ...sources.configuration,
    ...ca,
    `Dir::Etc::SourceList "${inContainer}/apt/sources.list";`,
    'Dir::Etc::SourceParts "/dev/null";',
    // The package lists are mounted read-only and were verified by this machine's own apt.
    'APT::Sandbox::User "root";',
    'Dir::Cache::pkgcache "";',
    'Dir::Cache::srcpkgcache "";',
  ];
  await writeFile(join(folder, "apt.conf"), `${lines.join("\n")}\n`);
  await writeFile(join(folder, "sources.list"), `${sources.lines.join("\n")}\n`);
}
