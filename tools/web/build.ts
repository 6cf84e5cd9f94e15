/** The web interface built from `web/`, once for every state of its sources. */
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { glob, mkdir, mkdtemp, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { brotliCompress, constants, gzip } from "node:zlib";

const root = join(import.meta.dirname, "../..");
const place = join(root, ".towline/web");
/** A build is two megabytes, and a server that began with an older one still gives it out. */
const mostKept = 20;

/** Answers the folder with the built files. Several processes may ask at once: all of them build, and one of the results stays. */
export async function buildWeb(say: (line: string) => void): Promise<string> {
  const folder = join(place, await stateOf());
  if (await isThere(folder)) return folder;
  say("Building the web interface…");
  await mkdir(place, { recursive: true });
  const made = await mkdtemp(join(place, "building-"));
  try {
    await runVite(made);
    await compress(made);
    await rename(made, folder).catch(async (error: unknown) => {
      if (!(await isThere(folder))) throw error;
    });
  } finally {
    await rm(made, { recursive: true, force: true });
  }
  await removeOld(folder);
  return folder;
}

/** In a process of its own, so that what it takes of memory is not the server's for good. */
async function runVite(outDir: string): Promise<void> {
  const vite = join(root, "node_modules/vite/bin/vite.js");
  const config = join(root, "web/vite.config.ts");
  const args = ["build", "--config", config, "--outDir", outDir, "--emptyOutDir", "--logLevel", "warn"];
  // It takes a `NODE_ENV` that is set for what is wanted: with another one, everybody would get the libraries' slow builds for developers.
  const env = { ...process.env, NODE_ENV: "production" };
  await promisify(execFile)(process.execPath, [vite, ...args], { cwd: root, env });
}

/** Everything that the build is made of: its sources, what they know of the API, and the libraries by lockfile. */
async function stateOf(): Promise<string> {
  const hash = createHash("sha256");
  const files = await Array.fromAsync(
    glob("{web/{src,public}/**/*,web/*.{html,ts},api/**/*.ts,tools/web/build.ts,package-lock.json}", {
      cwd: root,
      withFileTypes: true,
    }),
  );
  const paths = files
    .filter((file) => file.isFile())
    .map((file) => join(file.parentPath, file.name))
    .toSorted();
  for (const path of paths)
    hash
      .update(`${path.slice(root.length)}\0`)
      .update(await readFile(path))
      .update("\0");
  return hash.digest("hex").slice(0, 16);
}

async function isThere(folder: string): Promise<boolean> {
  return readFile(join(folder, "index.html")).then(
    () => true,
    () => false,
  );
}

const smallest = 1024;

/** Beside each file its shorter forms, made once here instead of at every request. */
async function compress(folder: string): Promise<void> {
  for (const name of await readdir(join(folder, "assets"))) {
    const path = join(folder, "assets", name);
    const content = await readFile(path);
    if (!/\.(js|css|svg)$/.test(name) || content.length < smallest) continue;
    const quality = { params: { [constants.BROTLI_PARAM_QUALITY]: 9 } };
    await writeFile(`${path}.br`, await promisify(brotliCompress)(content, quality));
    await writeFile(`${path}.gz`, await promisify(gzip)(content, { level: 9 }));
  }
}

async function removeOld(kept: string): Promise<void> {
  const names = (await readdir(place)).filter((name) => /^[0-9a-f]{16}$/.test(name) && join(place, name) !== kept);
  const dated = await Promise.all(names.map(async (name) => ({ name, at: (await stat(join(place, name))).mtimeMs })));
  const old = dated.toSorted((a, b) => b.at - a.at).slice(mostKept - 1);
  for (const { name } of old) await rm(join(place, name), { recursive: true, force: true });
}
