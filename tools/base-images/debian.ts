import { createHash } from "node:crypto";
import { mkdir, readdir, rename, rm, stat, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { refuse, type Refusal } from "#api/errors.ts";
import { installPackages, type Say } from "../host/apt.ts";
import { lastWords, run } from "../host/process.ts";
import { findProgram } from "../host/programs.ts";
import { baseImages } from "./catalogue.ts";
import { docker, stampLabel, versionLabel } from "./docker.ts";
import type { Sources } from "./sources.ts";

/** `$1` is the folder of the new system. What a container never reads is left out, now and at later installations. */
const slim = `
  for part in doc man info locale; do
    rm -rf "$1"/usr/share/$part/*
    echo "path-exclude=/usr/share/$part/*" >>"$1"/etc/dpkg/dpkg.cfg.d/towline
  done
  rm -f "$1"/etc/apt/apt.conf.d/99mmdebstrap
  sed -i 's#//[^/@]*@#//#' "$1"/etc/apt/sources.list`;

/** The lists that this machine has just read and verified, instead of a second download. */
const takeLists = 'mkdir -p "$1"/var/lib/apt/lists && cp /var/lib/apt/lists/*_* "$1"/var/lib/apt/lists/';

/** Without it a package merges the folders, whose Perl with all modules is a third of the image. */
const mergedUsr = "/usr/share/mmdebstrap/hooks/maybe-merged-usr";

/** Changes when the way of making the base changes. */
export const debianStamp = createHash("sha256")
  .update(slim + takeLists + mergedUsr)
  .digest("hex")
  .slice(0, 16);

/** Folder of what is dear to make again; at most one Debian is kept in it. */
export function cacheFolder(): string {
  return join(process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"), "towline", "base-images");
}

/** Makes the Debian base, from the cache or by mmdebstrap, and gives it our name. */
export async function buildDebian(sources: Sources, log: Say): Promise<undefined | Refusal> {
  const folder = cacheFolder();
  const tar = join(folder, `debian-${sources.suite}-${process.arch}-${debianStamp}.tar`);
  const cached = await stat(tar).catch(() => undefined);
  const refused = cached ? undefined : await bootstrap(sources, { folder, tar, log });
  if (refused) return refused;
  const labels = [`LABEL ${stampLabel}=${debianStamp}`, `LABEL ${versionLabel}=${sources.suite}`, 'CMD ["bash"]'];
  await docker(["import", ...labels.flatMap((line) => ["--change", line]), tar, baseImages.debian.image]);
  return undefined;
}

async function bootstrap(
  sources: Sources,
  to: { folder: string; tar: string; log: Say },
): Promise<Refusal | undefined> {
  const refused = await ensureMmdebstrap(to.log);
  if (refused) return refused;
  await mkdir(to.folder, { recursive: true });
  const configuration = join(to.folder, `apt-${process.pid}.conf`);
  await writeFile(configuration, `${sources.configuration.join("\n")}\n`);
  const fresh = `${to.tar}.${process.pid}.tar`;
  const answer = await run(
    [
      "mmdebstrap",
      "--quiet",
      "--variant=minbase",
      "--format=tar",
      // A machine that dies meanwhile leaves no half image, so dpkg need not wait for the disk after each file.
      "--dpkgopt=force-unsafe-io",
      `--aptopt=${configuration}`,
      "--skip=update",
      `--setup-hook=${takeLists}`,
      `--hook-dir=${mergedUsr}`,
      `--customize-hook=${slim}`,
      sources.suite,
      fresh,
      "-",
    ],
    { input: `${sources.lines.join("\n")}\n` },
  );
  await rm(configuration, { force: true });
  if (answer.code === 0) return keep(fresh, to);
  await rm(fresh, { force: true });
  return refuse("host.base-image-missing", `mmdebstrap could not make a Debian base:\n${lastWords(answer)}`, {
    fix: "Check that the Debian mirror answers (apt-get update), and try again.",
  });
}

async function keep(fresh: string, to: { folder: string; tar: string }): Promise<undefined> {
  for (const name of await readdir(to.folder))
    if (/^debian-.*-[0-9a-f]{16}\.tar$/.test(name)) await rm(join(to.folder, name), { force: true });
  await rename(fresh, to.tar);
}

async function ensureMmdebstrap(log: Say): Promise<Refusal | undefined> {
  if (await findProgram("mmdebstrap")) return undefined;
  return installPackages({
    packages: ["mmdebstrap"],
    missing: "mmdebstrap, which makes a Debian base image, is missing",
    code: "host.base-image-missing",
    log,
  });
}
