/** The two registries that are held against each other. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { freePort } from "#testing/free-port.ts";
import { startPlatform } from "#testing/platform.ts";
import { until } from "#testing/until.ts";
import { findProgram } from "../../tools/host/programs.ts";
import { call, layersOf } from "./call.ts";

export interface Registry extends AsyncDisposable {
  side: "ours" | "theirs";
  /** Process of the registry. */
  pid: number;
  /** Host and port. */
  host: string;
  /** Password, where one is needed. */
  token: string | undefined;
  /** Headers of a client that has logged in, as docker has them: a signed token where one is needed. */
  authorization(): Promise<Record<string, string>>;
  /** Removes all that was pushed to the bench's repositories. */
  empty(): Promise<void>;
}

export const repository = "bench/image";
export const otherRepository = "bench/other";

/** Ours, and what only its own benchmark looks at. */
export interface OwnRegistry extends Registry {
  home: string;
}

/** Signed tokens live five minutes. */
const renewAfterMs = 4 * 60_000;

export async function startOwnRegistry(): Promise<OwnRegistry> {
  const platform = await startPlatform({ TOWLINE_LOG_LEVEL: "warn" });
  const { host } = new URL(platform.url);
  const token = platform.adminToken;
  let signed: { until: number; headers: Promise<Record<string, string>> } | undefined;
  const registry: OwnRegistry = {
    side: "ours",
    home: platform.home,
    pid: platform.server.pid,
    host,
    token,
    authorization() {
      if (!signed || signed.until < Date.now())
        signed = { until: Date.now() + renewAfterMs, headers: signIn(platform.url, token) };
      return signed.headers;
    },
    async empty() {
      for (const each of [otherRepository, repository]) await deleteAll(registry, each);
    },
    [Symbol.asyncDispose]: () => platform[Symbol.asyncDispose](),
  };
  return registry;
}

async function signIn(url: string, secret: string): Promise<Record<string, string>> {
  const scopes = [repository, otherRepository, "bench/large", "scale/r1"].map((name) => `scope=repository:${name}:*`);
  const headers = { authorization: `Basic ${Buffer.from(`bench:${secret}`).toString("base64")}` };
  const answer = await fetch(`${url}/v2/token?service=towline&${scopes.join("&")}`, { headers });
  const { token } = (await answer.json()) as { token: string };
  return { authorization: `Bearer ${token}` };
}

/** As a person would: by the protocol. */
async function deleteAll(registry: Registry, name: string): Promise<void> {
  const { digest, parts } = await layersOf(registry, name);
  if (digest) await call(registry, "DELETE", `${name}/manifests/${digest}`);
  for (const part of parts) await call(registry, "DELETE", `${name}/blobs/${part}`);
}

/** Debian's `docker-registry` as it is, with a folder for storage and no authentication. */
export async function startDebianRegistry(folder: string): Promise<Registry> {
  const host = `127.0.0.1:${await freePort()}`;
  const storage = join(folder, "debian");
  const settings = join(folder, "debian.json");
  await mkdir(storage);
  // JSON is YAML.
  const configuration = {
    version: 0.1,
    log: { level: "error", accesslog: { disabled: true } },
    storage: { filesystem: { rootdirectory: storage }, delete: { enabled: true } },
    http: { addr: host },
  };
  await writeFile(settings, JSON.stringify(configuration));
  const program = (await findProgram("docker-registry")) ?? "docker-registry";
  const child = spawn(program, ["serve", settings], { stdio: "ignore" });
  const exited = once(child, "exit");
  const answers = () =>
    fetch(`http://${host}/v2/`).then(
      ({ ok }) => ok,
      () => false,
    );
  await until(answers, { deadlineMs: 20_000, describe: () => "Debian's docker-registry does not answer" });
  return {
    side: "theirs",
    pid: child.pid ?? 0,
    host,
    token: undefined,
    authorization: async () => ({}),
    empty: () => rm(join(storage, "docker"), { recursive: true, force: true }),
    async [Symbol.asyncDispose]() {
      child.kill();
      await exited;
    },
  };
}
